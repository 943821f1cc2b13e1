package brokertest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var homesPromises = []promise{
	{"homes are found by a term, in order of their place, ties by id", homesOrder},
	{"with Newest homes are found in the reverse order", homesNewest},
	{"homes are found by all of several terms", homesTerms},
	{"without a term all are found that are listed, and no others", homesAll},
	{"homes are found from a time on, and before another", homesBetween},
	{"a place is kept to the millisecond, rounded up", homesMilli},
	{"a later listing replaces an earlier one, and a change without one does not", homesReplaced},
	{"a refused change lists nothing", homesRefused},
	{"a home that is deleted is not found, and begins anew unlisted", homesClosed},
	{"homes beside a queue that is removed are not found", homesRemoved},
	{"homes beside another queue are not found", homesQueues},
	{"a home is listed by a change that does one other thing", homesBeside},
	{"terms are any text, and compared byte by byte", homesText},
	{"a home has as many terms as are allowed, as long as they are allowed", homesMost},
	{"pages of any size tell all homes, in any order, by any terms", homesPages},
	{"pages tell what is not listed otherwise meanwhile, once", homesPagesChange},
	{"homes with a frequent and a rare term are all told", homesRare},
	{"a malformed question for homes or what is open is invalid and refused", homesMalformed},
}

// homesOf returns the homes that r asks for, read in pages.
func homesOf(ctx context.Context, b broker.Broker, r broker.HomesRequest) ([]broker.ListedHome, error) {
	var all []broker.ListedHome
	for range mostPages {
		page, err := b.Homes(ctx, r)
		if err != nil {
			return nil, err
		}
		if len(page.Homes) > r.Limit {
			return nil, fmt.Errorf("a page of %d homes, asked for were %d", len(page.Homes), r.Limit)
		}
		all = append(all, page.Homes...)
		if r.After = page.Next; r.After == "" {
			return all, nil
		}
	}
	return nil, errors.New("the pages have no end")
}

// listedAt is when the homes of these cases are listed, or a little later.
var listedAt = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)

// listed returns a change that lists a home beside queue "runs", so long after
// listedAt.
func listed(id string, after time.Duration, terms ...string) broker.Change {
	return broker.Change{
		Home: broker.Home{Queue: "runs", ID: id},
		List: &broker.Listing{At: listedAt.Add(after), Terms: terms},
	}
}

// found asks for the homes beside queue "runs" that have terms.
func found(terms ...string) broker.HomesRequest {
	return broker.HomesRequest{Queue: "runs", Terms: terms}
}

// homesAre demands that r finds these homes, in this order.
func (x *trial) homesAre(what string, r broker.HomesRequest, ids ...string) {
	x.Helper()
	if r.Limit == 0 {
		r.Limit = broker.MaxParts
	}
	all, err := homesOf(x.Context(), x.b, r)
	if err != nil {
		x.Fatalf("Homes(%s) = %v, want nil", brief(r), err)
	}
	var got []string
	for _, h := range all {
		if h.Home.Queue != r.Queue {
			x.Errorf("Homes(%s) told %s", brief(r), h.Home)
		}
		got = append(got, h.Home.ID)
	}
	equal(x, "homes "+what, got, ids)
}

func homesOrder(x *trial) {
	x.must(listed("c", 2, "t"), listed("later", time.Hour, "t"), listed("b", 2, "t"), listed("Z", 2, "t"), listed("first", -time.Hour, "t"))
	x.homesAre("", found("t"), "first", "Z", "b", "c", "later")
	x.homesAre("with another term", found("u"))
	all, err := homesOf(x.Context(), x.b, broker.HomesRequest{Queue: "runs", Terms: []string{"t"}, Limit: 2})
	if err != nil {
		x.Fatalf("Homes() = %v, want nil", err)
	}
	equal(x, "the first", all[0], broker.ListedHome{Home: broker.Home{Queue: "runs", ID: "first"}, At: listedAt.Add(-time.Hour)})
}

func homesNewest(x *trial) {
	x.must(listed("c", time.Second, "t"), listed("b", time.Second, "t"), listed("a", time.Hour, "t"), listed("d", 0, "t"))
	r := found("t")
	r.Newest = true
	x.homesAre("", r, "a", "c", "b", "d")
	r.Limit = 1
	x.homesAre("one by one", r, "a", "c", "b", "d")
}

func homesTerms(x *trial) {
	x.must(listed("ab", 1, "a", "b"), listed("abc", 2, "c", "b", "a"), listed("a", 3, "a"), listed("bc", 4, "b", "c"), listed("none", 5))
	x.homesAre("with a and b", found("a", "b"), "ab", "abc")
	x.homesAre("with b and a", found("b", "a"), "ab", "abc")
	x.homesAre("with all", found("c", "a", "b"), "abc")
	x.homesAre("with c", found("c"), "abc", "bc")
	x.homesAre("with none's", found("a", "d"))
	x.homesAre("with none's", found("d", "a"))
}

func homesAll(x *trial) {
	x.homesAre("when there are none", found())
	x.must(withDocuments(broker.Home{Queue: "runs", ID: "unlisted"}, "k"))
	x.must(listed("b", 2), listed("a", time.Second, "t"), listed("c", 0, "u"))
	x.homesAre("", found(), "c", "b", "a")
}

func homesBetween(x *trial) {
	for i := range 5 {
		x.must(listed(fmt.Sprint(i), time.Duration(i)*time.Millisecond, "t"))
	}
	for _, c := range []struct {
		from, to time.Duration
		want     []string
	}{
		{0, 5 * time.Millisecond, []string{"0", "1", "2", "3", "4"}},
		{time.Millisecond, 3 * time.Millisecond, []string{"1", "2"}},
		{time.Millisecond - 1, 3*time.Millisecond - 1, []string{"1", "2"}},
		{time.Millisecond + 1, 3*time.Millisecond + 1, []string{"2", "3"}},
		{2 * time.Millisecond, 2 * time.Millisecond, nil},
		{3 * time.Millisecond, time.Millisecond, nil},
		{-time.Hour, 0, nil},
		{time.Hour, 2 * time.Hour, nil},
	} {
		for _, terms := range [][]string{nil, {"t"}} {
			r := found(terms...)
			r.From, r.To = listedAt.Add(c.from), listedAt.Add(c.to)
			what := fmt.Sprint("from ", c.from, " to ", c.to)
			x.homesAre(what, r, c.want...)
			r.Newest = true
			want := slices.Clone(c.want)
			slices.Reverse(want)
			x.homesAre(what+", the newest first", r, want...)
		}
	}
	r := found("t")
	r.From = listedAt.Add(3 * time.Millisecond)
	x.homesAre("without an end", r, "3", "4")
	r = found("t")
	r.To = listedAt.Add(time.Millisecond)
	x.homesAre("without a beginning", r, "0")
}

func homesMilli(x *trial) {
	x.must(listed("a", 1500*time.Microsecond+1), listed("b", 2*time.Millisecond))
	all, err := homesOf(x.Context(), x.b, broker.HomesRequest{Queue: "runs", Limit: 5})
	if err != nil || len(all) != 2 {
		x.Fatalf("Homes() = %v, %v, want two and nil", all, err)
	}
	for i, id := range []string{"a", "b"} {
		equal(x, "found", all[i], broker.ListedHome{Home: broker.Home{Queue: "runs", ID: id}, At: listedAt.Add(2 * time.Millisecond)})
	}
}

func homesReplaced(x *trial) {
	x.must(listed("a", 0, "kept", "old"), listed("b", time.Second, "kept"))
	x.must(listed("a", 2*time.Second, "new", "kept"))
	x.homesAre("with an old term", found("old"))
	x.homesAre("with a new one", found("new"), "a")
	x.homesAre("with one that was kept", found("kept"), "b", "a")
	x.homesAre("all", found(), "b", "a")
	r := found("kept")
	r.To = listedAt.Add(time.Second)
	x.homesAre("at the old place", r)
	x.must(withDocuments(broker.Home{Queue: "runs", ID: "a"}, "k"), listed("b", 3*time.Second))
	x.homesAre("after a change without one", found("new", "kept"), "a")
	x.homesAre("with a term of one that has none left", found("kept"), "a")
	x.homesAre("all", found(), "a", "b")
}

func homesRefused(x *trial) {
	x.must(listed("a", 0, "t"))
	for _, id := range []string{"a", "b"} {
		c := listed(id, time.Hour, "u")
		c.Require = []broker.Condition{{Key: "k", Version: 1}}
		x.refused(c)
	}
	x.homesAre("", found("u"))
	x.homesAre("", found(), "a")
}

func homesClosed(x *trial) {
	x.must(listed("a", 0, "t"), listed("b", time.Second, "t", "u"), listed("c", 2*time.Second, "t"))
	closed := broker.Home{Queue: "runs", ID: "b"}
	for part := range 2 { // it is found no more before all that is in it is deleted
		c := broker.Change{Home: closed, Close: time.Now().Add(time.Minute)}
		for i := range broker.MaxParts {
			c.Put = append(c.Put, broker.Put{Key: fmt.Sprint(part, "-", i)})
		}
		x.must(c)
	}
	x.homesAre("before its end", found("t"), "a", "b", "c")
	x.pass(time.Minute)
	equal(x, "closed", x.advance("runs").Closed, 1)
	x.homesAre("with a term", found("t"), "a", "c")
	x.homesAre("with its own", found("u"))
	x.homesAre("all", found(), "a", "c")
	x.must(withDocuments(closed, "k"))
	x.homesAre("when it has begun anew", found(), "a", "c")
	x.must(listed("b", time.Second, "t"))
	x.homesAre("when it is listed anew", found("t"), "a", "b", "c")
	x.homesAre("with a term that it had", found("u"))
}

func homesRemoved(x *trial) {
	x.enqueue(entry("runs", "a"))
	x.must(settling(x.leaseOne("runs"), broker.Done), listed("a", 0, "t"))
	if err := x.remove("runs", true); err != nil {
		x.Fatalf("Remove() = %v, want nil", err)
	}
	x.homesAre("with a term", found("t"))
	x.homesAre("all", found())
}

func homesQueues(x *trial) {
	for _, queue := range []string{"runs", "run", "runs2", "runs:t"} {
		c := listed("in-"+queue, 0, "t", "t:t")
		c.Home.Queue = queue
		x.must(c)
	}
	x.homesAre("", found("t"), "in-runs")
	x.homesAre("all", found(), "in-runs")
	r := found("t")
	r.Queue = "runs:t"
	x.homesAre("", r, "in-runs:t")
	r.Queue = "none"
	x.homesAre("", r)
}

func homesBeside(x *trial) {
	c := broker.Change{Home: beside, List: &broker.Listing{At: listedAt}, Enqueue: entries("q", "a")}
	x.must(c)
	x.homesAre("with an entry", broker.HomesRequest{Queue: "q"}, beside.ID)
	c = settling(x.leaseOne("q"), broker.Done)
	c.Home, c.List = beside, &broker.Listing{At: listedAt, Terms: []string{"t"}}
	x.must(c)
	x.homesAre("with a settlement", broker.HomesRequest{Queue: "q", Terms: []string{"t"}}, beside.ID)
}

// texts are terms that no two of are one.
var texts = []string{
	"a", "A", " a", "a ", "a=b", "a:b", "a*", "*", "?", "%", "_", "a\x00", "a\x00b", "\x00", "\n", "Grüße", "Gru\u0308ße", "日本", "😀", "\"a\"", "'", "{a}", "[a]", "null", "0", "1e3",
}

func homesText(x *trial) {
	for i, text := range texts {
		x.must(listed(fmt.Sprintf("%02d", i), time.Duration(i)*time.Millisecond, text, "all"))
	}
	var all []string
	for i, text := range texts {
		all = append(all, fmt.Sprintf("%02d", i))
		x.homesAre(fmt.Sprintf("with %q", text), found(text), all[i])
		x.homesAre(fmt.Sprintf("with %q and another", text), found("all", text), all[i])
	}
	x.homesAre("with what all have", found("all"), all...)
}

func homesMost(x *trial) {
	var terms []string
	for i := range broker.MaxTerms {
		terms = append(terms, fmt.Sprintf("%0*d", broker.MaxTermBytes, i))
	}
	x.must(listed("a", 0, terms...))
	x.homesAre("with all", found(terms...), "a")
	x.homesAre("with the last", found(terms[broker.MaxTerms-1]), "a")
	for i := range terms {
		terms[i] = strings.Repeat("n", broker.MaxTermBytes-4) + fmt.Sprintf("%04d", i)
	}
	x.must(listed("a", 0, terms...))
	x.homesAre("with all others", found(terms...), "a")
}

// aListing is a home that a case has listed.
type aListing struct {
	id    string
	after time.Duration
	terms []string
}

func (l aListing) change() broker.Change { return listed(l.id, l.after, l.terms...) }

// drawListings returns listings of n homes, some of them at one place.
func drawListings(random *rand.Rand, n int) []aListing {
	var all []aListing
	for i := range n {
		l := aListing{id: fmt.Sprintf("run-%03d", i), after: time.Duration(random.IntN(n)) * time.Millisecond}
		for _, term := range []string{"a", "b", "c"} {
			if random.IntN(2) == 0 {
				l.terms = append(l.terms, term)
			}
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b aListing) int {
		if a.after != b.after {
			return int(a.after - b.after)
		}
		return strings.Compare(a.id, b.id)
	})
	return all
}

// expected returns the ids of those of all that r asks for.
func expected(all []aListing, r broker.HomesRequest) (ids []string) {
	for _, l := range all {
		at := listedAt.Add(l.after)
		lacks := slices.ContainsFunc(r.Terms, func(t string) bool { return !slices.Contains(l.terms, t) })
		if !lacks && (r.From.IsZero() || !at.Before(r.From)) && (r.To.IsZero() || at.Before(r.To)) {
			ids = append(ids, l.id)
		}
	}
	if r.Newest {
		slices.Reverse(ids)
	}
	return ids
}

func homesPages(x *trial) {
	const n = 60
	all := drawListings(rand.New(rand.NewPCG(7, 11)), n)
	for _, i := range rand.New(rand.NewPCG(5, 3)).Perm(n) {
		x.must(all[i].change())
	}
	for _, terms := range [][]string{nil, {"a"}, {"a", "b"}, {"c", "b", "a"}} {
		for _, limit := range []int{1, 2, 7, n, broker.MaxParts} {
			for _, newest := range []bool{false, true} {
				r := found(terms...)
				r.Limit, r.Newest = limit, newest
				x.homesAre(brief(r), r, expected(all, r)...)
				r.From, r.To = listedAt.Add(10*time.Millisecond), listedAt.Add(n/2*time.Millisecond)
				x.homesAre(brief(r), r, expected(all, r)...)
			}
		}
	}
}

func homesPagesChange(x *trial) {
	for _, newest := range []bool{false, true} {
		const n = 20
		id := func(kind string, i int) string { return fmt.Sprintf("%s-%02d", kind, i) }
		for i := range n {
			x.must(listed(id("lasting", i), time.Duration(i)*time.Second, "t"), listed(id("passing", i), time.Duration(i)*time.Second, "t"))
		}
		told := make(map[string]int)
		r := found("t")
		r.Limit, r.Newest = 3, newest
		for i := range mostPages {
			page, err := x.b.Homes(x.Context(), r)
			if err != nil {
				x.Fatalf("Homes() = %v, want nil", err)
			}
			for _, h := range page.Homes {
				told[h.Home.ID]++
			}
			if r.After = page.Next; r.After == "" {
				break
			}
			if i < n {
				x.must(listed(id("passing", i), time.Duration(i)*time.Second, "u"), listed(id("new", i), time.Duration(n-i)*time.Second, "t"))
				x.must(broker.Change{Home: broker.Home{Queue: "runs", ID: id("passing", n-1-i)}, Close: time.Now()})
				x.advance("runs")
			}
		}
		for i := range n {
			if count := told[id("lasting", i)]; count != 1 {
				x.Errorf("%s was told %d times, want once (newest first: %t)", id("lasting", i), count, newest)
			}
		}
	}
}

// homesRare: a page may be short, or empty, although there are more.
func homesRare(x *trial) {
	const n = 2500
	var changes []broker.Change
	var want []string
	for i := range n {
		c := listed(fmt.Sprintf("%04d", i), time.Duration(i)*time.Millisecond, "frequent")
		if i == 0 || i == n-1 {
			c.List.Terms = append(c.List.Terms, "rare")
			want = append(want, c.Home.ID)
		}
		changes = append(changes, c)
	}
	for page := range slices.Chunk(changes, 250) {
		x.must(page...)
	}
	for _, r := range []broker.HomesRequest{found("frequent", "rare"), found("rare", "frequent")} {
		r.Limit = 2
		x.homesAre(brief(r), r, want...)
		r.Newest = true
		reversed := slices.Clone(want)
		slices.Reverse(reversed)
		x.homesAre(brief(r), r, reversed...)
	}
	all, err := homesOf(x.Context(), x.b, broker.HomesRequest{Queue: "runs", Limit: broker.MaxParts})
	if err != nil || len(all) != n {
		x.Errorf("%d homes are listed (%v), want %d", len(all), err, n)
	}
}

func homesMalformed(x *trial) {
	x.must(listed("a", 0, "t"), listed("b", time.Second, "t"))
	var many []string
	for i := range broker.MaxTerms + 1 {
		many = append(many, fmt.Sprint(i))
	}
	for what, f := range map[string]func(*broker.HomesRequest){
		"no queue":           func(r *broker.HomesRequest) { r.Queue = "" },
		"a bad queue":        func(r *broker.HomesRequest) { r.Queue = "{runs}" },
		"no limit":           func(r *broker.HomesRequest) { r.Limit = 0 },
		"too large a limit":  func(r *broker.HomesRequest) { r.Limit = broker.MaxParts + 1 },
		"an empty term":      func(r *broker.HomesRequest) { r.Terms = []string{"t", ""} },
		"a term twice":       func(r *broker.HomesRequest) { r.Terms = []string{"t", "t"} },
		"a term too long":    func(r *broker.HomesRequest) { r.Terms = []string{strings.Repeat("t", broker.MaxTermBytes+1)} },
		"a term of no UTF-8": func(r *broker.HomesRequest) { r.Terms = []string{"\xff"} },
		"too many terms":     func(r *broker.HomesRequest) { r.Terms = many },
		"an After of none":   func(r *broker.HomesRequest) { r.After = "nonsense" },
		"an After of the newest of none": func(r *broker.HomesRequest) {
			r.After, r.Newest = "nonsense", true
		},
	} {
		r := broker.HomesRequest{Queue: "runs", Terms: []string{"t"}, Limit: 1}
		f(&r)
		page, err := x.b.Homes(x.Context(), r)
		x.invalid(what, err)
		x.refusal(what, err)
		equal(x, what, page, broker.HomesPage{})
	}
	for _, limit := range []int{-1, 0, broker.MaxParts + 1} {
		what := fmt.Sprint("open entries, limit ", limit)
		_, err := x.b.OpenEntries(x.Context(), broker.OpenRequest{Home: home, Limit: limit})
		x.invalid(what, err)
		x.refusal(what, err)
	}
}
