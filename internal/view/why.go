package view

import (
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Why returns in a few words why a task is not running at now, or what is odd about it if
// it is active; "" if there is nothing to explain. paused is whether its queue is, and
// servers how many take tasks from it.
func Why(now time.Time, i *task.Info, paused bool, servers int) string {
	switch i.State {
	case task.Active:
		return whyActive(i, servers)
	case task.Pending:
		return whyNotBegun(paused, servers, "it waits for a worker that is free")
	case task.Scheduled:
		text := whyNotDue(now, i, paused, servers)
		if i.UniqueKey != "" && i.NextProcessAt.Sub(now) <= broker.BehindRetry {
			text += ", or when no other task holds its unique key"
		}
		return text
	case task.Retry:
		return fmt.Sprintf("it failed %s, and %s", times(i.Retried), whyNotDue(now, i, paused, servers))
	case task.Aggregating:
		return whyNotBegun(false, servers, "it waits in group "+i.Group+" to be folded with others")
	case task.Archived:
		return whyArchived(i)
	default:
		return ""
	}
}

func whyActive(i *task.Info, servers int) string {
	switch {
	case i.IsOrphaned && servers == 0:
		return "its worker is lost, and no server serves its queue to take it back"
	case i.IsOrphaned:
		return "its worker is lost; a server is about to take it back"
	case i.CancelAsked:
		return "somebody has asked for it to end, and its handler has not yet"
	default:
		return ""
	}
}

// whyNotBegun returns why a task that is ready has not begun.
func whyNotBegun(paused bool, servers int, otherwise string) string {
	switch {
	case paused:
		return "its queue is paused"
	case servers == 0:
		return "no server serves its queue"
	default:
		return otherwise
	}
}

func whyNotDue(now time.Time, i *task.Info, paused bool, servers int) string {
	wait := i.NextProcessAt.Sub(now)
	if wait > 0 {
		return fmt.Sprintf("it waits for its time, in %v", max(wait.Round(time.Second), time.Second))
	}
	return whyNotBegun(paused, servers, "it is due, and about to be made ready")
}

func whyArchived(i *task.Info) string {
	switch i.End {
	case "cancelled":
		return "it was cancelled"
	case "expired":
		return "it was too late to begin"
	case "poison":
		return "too many of its workers were lost"
	case "undecodable":
		return "it cannot be read"
	}
	if i.LastErr == "" {
		return "it was archived by hand"
	}
	return fmt.Sprintf("it failed, and has used %d of %d retries", i.Retried, i.MaxRetry)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
