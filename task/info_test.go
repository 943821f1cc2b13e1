package task_test

import (
	"reflect"
	"testing"

	"github.com/leatwork/leat/task"
)

func TestAnInfoHasEveryFieldThatAsynqsHas(t *testing.T) {
	info := reflect.TypeFor[task.Info]()
	for _, name := range []string{
		"ID", "Queue", "Type", "Payload", "Headers", "State", "MaxRetry", "Retried",
		"LastErr", "LastFailedAt", "Timeout", "Deadline", "Group", "NextProcessAt",
		"IsOrphaned", "Retention", "CompletedAt", "Result",
	} {
		if _, ok := info.FieldByName(name); !ok {
			t.Errorf("an Info has no field %s", name)
		}
	}
}
