package workflow_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow"
)

func TestAnEntrySaysWhatItIsForInItsRun(t *testing.T) {
	home := broker.Home{Queue: "default", ID: "r~parent~child"}
	const root = "r~parent~child~abcdefgh~"
	for id, want := range map[string]workflow.Place{
		"pack":            {Step: "pack", Item: -1},
		"reserve~2":       {Step: "reserve", Item: 2},
		"reserve~2.1":     {Step: "reserve", Item: 2}, // of a map of which only some are run
		"plan~+3":         {Step: "plan", Item: 3, Added: true},
		"~undo~pack~.0":   {Step: "pack", Item: -1, Undo: true},
		"~undo~pack~7.1":  {Step: "pack", Item: 7, Undo: true},
		"~wait~paid":      {Step: "paid", Item: -1, Cause: "wait"},
		"~child~ship~4":   {Step: "ship", Item: 4, Cause: "child"},
		"~signal~paid~12": {Item: -1, Cause: "signal"},
		"~end~~end":       {Item: -1, Cause: "end"},
		"~rebuild~~end~x": {Item: -1, Cause: "rebuild"},
	} {
		want.Run, want.Root = home.ID, root
		got, ok := workflow.PlaceOf(broker.Entry{EntryRef: broker.EntryRef{Queue: "any", ID: root + id}, Home: home})
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("PlaceOf(%s) = %v, %v (-want +got):\n%s", root+id, got, ok, diff)
		}
	}
	for what, e := range map[string]broker.Entry{
		"a task of no run":            {EntryRef: broker.EntryRef{ID: root + "pack"}},
		"a task of the engine's":      {EntryRef: broker.EntryRef{ID: root + "pack"}, Home: broker.Home{Queue: "~periodic", ID: home.ID}},
		"an entry of another run":     {EntryRef: broker.EntryRef{ID: "s~abcdefgh~pack"}, Home: home},
		"an entry without an own tag": {EntryRef: broker.EntryRef{ID: home.ID + "~pack"}, Home: home},
	} {
		if got, ok := workflow.PlaceOf(e); ok {
			t.Errorf("PlaceOf(%s) = %v, true, want false", what, got)
		}
	}
}
