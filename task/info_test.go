package task_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/task"
)

func TestAnInfoHasEveryFieldThatAsynqsHas(t *testing.T) {
	want := []string{
		"ID", "Queue", "Type", "Payload", "Headers", "State", "MaxRetry", "Retried",
		"LastErr", "LastFailedAt", "Timeout", "Deadline", "Group", "NextProcessAt",
		"IsOrphaned", "Retention", "CompletedAt", "Result",
	}
	var got []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[task.Info]()) {
		got = append(got, f.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}
