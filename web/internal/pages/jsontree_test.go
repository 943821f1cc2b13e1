package pages

import (
	"fmt"
	"strings"
	"testing"
)

func TestATreeHasWhatTheDocumentHas(t *testing.T) {
	n, err := treeOf([]byte(` {"a":1.50,"a":12345678901234567890,"b":[true,null,"x\u202ey",{}],"":1e400}`), 100, 100)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, one := range n.Nodes {
		said = append(said, one.Name+"="+one.Text+fmt.Sprint(one.Count))
	}
	if got, want := strings.Join(said, " "), "a=1.500 a=123456789012345678900 b=4 =1e4000"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if list := n.Nodes[2].Nodes; list[2].Text != `x\u202ey` || list[3].Kind != "object" || !n.isWhole() {
		t.Errorf("the list is %+v", list)
	}
}

func TestATreeIsCutWhereItIsLarge(t *testing.T) {
	wide := "[" + strings.Repeat(`{"a":[1,2]},`, 999) + `"` + strings.Repeat("é", 100) + `"]`
	n, err := treeOf([]byte(wide), 50, 99)
	if err != nil || n.Count != 1000 || len(n.Nodes) >= 50 || n.Left() != 1000-len(n.Nodes) || n.isWhole() {
		t.Errorf("%d of %d nodes, %d left, whole: %v, %v", len(n.Nodes), n.Count, n.Left(), n.isWhole(), err)
	}
	n, err = treeOf([]byte(wide), 1_000_000, 99)
	if err != nil || len(n.Nodes) != 1000 || !n.Nodes[999].Cut || n.isWhole() {
		t.Errorf("%d nodes, %v", len(n.Nodes), err)
	}
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	n, err = treeOf([]byte(deep), 1_000_000, 50)
	if err != nil {
		t.Fatal(err)
	}
	levels := 0
	for at := *n; len(at.Nodes) > 0; at = at.Nodes[0] {
		levels++
	}
	if levels != treeDepth+1 {
		t.Errorf("%d levels, want %d", levels, treeDepth+1)
	}
	for _, none := range []string{"", " ", "7", `"a"`, "{", "[1,]", "{}{}"} {
		if _, err := treeOf([]byte(none), 10, 10); err == nil {
			t.Errorf("%q is a tree", none)
		}
	}
}
