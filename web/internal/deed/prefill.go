package deed

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/workflow"
)

// Prefilled returns what a form for a deed to a target begins with: how the target is now,
// as far as the deed is about that and who may see it. What is left as it is, is not
// changed.
func (d *Doer) Prefilled(ctx context.Context, who access.Identity, what Deed, t Target) (map[string]string, error) {
	said := map[string]string{}
	for _, p := range what.Params {
		if p.Default != "" {
			said[p.Name] = p.Default
		}
	}
	switch {
	case what.Kind == Task && (what.Name == "edit" || what.Name == "clone"):
		i, err := d.Storage.Inspector.Get(ctx, t.Queue, t.ID)
		if err != nil {
			return nil, err
		}
		prefillPayload(said, i.Payload, d.Rules.Payload(who.Role, i.Payload))
		if what.Name == "clone" {
			prefillTask(said, i)
			if shown := d.Rules.Headers(who.Role, i.Headers); len(i.Headers) > 0 && !slices.Contains(headerLines(shown), mask.Hidden) {
				said["headers"] = strings.Join(headerLines(shown), "\n")
			}
		}
	case what.Kind == Entry && what.Name == "change":
		i, err := d.Storage.Entries.Get(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		d.prefillEntry(said, who, i)
	}
	return said, nil
}

// mostPrefilled is how many bytes of a payload a form begins with.
const mostPrefilled = 256 << 10

// prefillPayload says what is carried, unless some of it is hidden or it is too long for
// a form. What a form would change on its way is said in base64.
func prefillPayload(said map[string]string, payload, shown []byte) {
	switch {
	case string(payload) != string(shown) || len(payload) > mostPrefilled || len(payload) == 0:
	case !utf8.Valid(payload) || strings.ContainsAny(string(payload), "\r\x00"):
		said["payload_base64"] = base64.StdEncoding.EncodeToString(payload)
	default:
		said["payload"] = string(payload)
	}
}

func prefillTask(said map[string]string, i *task.Info) {
	said["type"], said["new_queue"], said["group"] = i.Type, i.Queue, i.Group
	said["retry"], said["timeout"] = strconv.Itoa(i.MaxRetry), i.Timeout.String()
	if i.MaxCrashes > 0 {
		said["max_crashes"] = strconv.Itoa(i.MaxCrashes)
	}
	if i.Retention > 0 {
		said["retention"] = i.Retention.String()
	}
}

// headerLines returns headers as a parameter has them, one a line.
func headerLines(headers map[string]string) (lines []string) {
	for key, value := range headers {
		if value == mask.Hidden {
			return []string{value}
		}
		lines = append(lines, key+"="+value)
	}
	slices.Sort(lines)
	return lines
}

func (d *Doer) prefillEntry(said map[string]string, who access.Identity, i periodic.Info) {
	said["schedule"], said["zone"], said["missed"], said["overlap"] = i.Schedule, i.Zone, i.Missed.String(), i.Overlap.String()
	said["start"], said["end"] = momentText(i.Start), momentText(i.End)
	if i.Jitter > 0 {
		said["jitter"] = i.Jitter.String()
	}
	if i.Window > 0 {
		said["window"] = i.Window.String()
	}
	if name, is := strings.CutPrefix(i.Type, workflow.StartType("")); is {
		said["workflow"] = name
	} else {
		said["type"] = i.Type
	}
	if fixed, text := i.Payload.Data(); text != "" && !d.Rules.Hides(who.Role) {
		said["template"] = text
	} else if text == "" {
		prefillPayload(said, fixed, d.Rules.Payload(who.Role, fixed))
	}
}

func momentText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
