// Package guide_test holds what docs/workflows.md shows, and runs it.
package guide_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A Photo is what most workflows of the guide are about.
type Photo struct {
	Name string
	Size int // in kB
}

// A Card is a photo with what goes under it.
type Card struct {
	Photo Photo
	Text  string
}

func newCard(p Photo, text string) Card { return Card{p, text} }

func (p Photo) isLarge() bool { return p.Size > 100 }
func (p Photo) isSmall() bool { return p.Size <= 100 }
func (p Photo) kind() string  { return p.Name[strings.LastIndex(p.Name, ".")+1:] }

var (
	Fetch = workflow.NewStep("fetch", func(_ context.Context, name string) (Photo, error) {
		if name == "" {
			return Photo{}, fmt.Errorf("a photo needs a name: %w", task.SkipRetry)
		}
		return Photo{Name: name, Size: 800}, nil
	}, task.Queue("downloads"), task.MaxRetry(5), task.Timeout(time.Minute))
	Shrink = workflow.NewStep("shrink", func(_ context.Context, p Photo) (Photo, error) {
		return Photo{Name: p.Name, Size: p.Size / 2}, nil
	})
	Describe = workflow.NewStep("describe", func(_ context.Context, p Photo) (string, error) {
		return "a photo of " + p.Name, nil
	})
	Publish = workflow.NewStep("publish", func(_ context.Context, c Card) (string, error) {
		return "https://example.com/" + c.Photo.Name, nil
	})
	Index = workflow.NewStep("index", func(_ context.Context, photos []Photo) (string, error) {
		return fmt.Sprintf("%d photos", len(photos)), nil
	})
	Clean  = workflow.NewStep("clean", func(context.Context, workflow.None) (workflow.None, error) { return workflow.None{}, nil })
	Mirror = workflow.NewStep("mirror", func(_ context.Context, name string) (Photo, error) { return Photo{Name: name, Size: 800}, nil })
)

var Small = dag.New("small", func(g *dag.Graph, name dag.Val[string]) dag.Val[Photo] {
	return dag.Do(g, Shrink, dag.Do(g, Fetch, name))
})

var Page = dag.New("page", func(g *dag.Graph, name dag.Val[string]) dag.Val[string] {
	photo := dag.Do(g, Fetch, name)
	small := dag.Do(g, Shrink, photo)
	text := dag.Do(g, Describe, photo) // beside Shrink
	return dag.Do(g, Publish, dag.Join2(g, small, text, newCard))
})

var Album = dag.New("album", func(g *dag.Graph, names dag.Val[[]string]) dag.Val[string] {
	photos := dag.Map(g, Fetch, names, dag.Parallel(8))
	small := dag.Map(g, Shrink, photos)
	return dag.Do(g, Index, small)
})

var Survey = dag.New("survey", func(g *dag.Graph, names dag.Val[[]string]) dag.Val[string] {
	tried := dag.MapTry(g, Fetch, names)
	return dag.Pick(g, tried, summary)
})

func summary(tried []workflow.Outcome[Photo]) string {
	var missing int
	for _, photo := range tried {
		if _, err := photo.Get(); err != nil {
			missing++
		}
	}
	return fmt.Sprintf("%d of %d are missing", missing, len(tried))
}

var Total = workflow.NewStep("total", func(ctx context.Context, photos workflow.Stream[Photo]) (int, error) {
	size := 0
	for photo, err := range photos.All(ctx) {
		if err != nil {
			return 0, err
		}
		size += photo.Size
	}
	return size, nil
})

var Archive = dag.New("archive", func(g *dag.Graph, names dag.Val[[]string]) dag.Val[int] {
	return dag.Do(g, Total, dag.MapStream(g, Fetch, names, dag.Tolerate(10)))
})

var Fit = dag.New("fit", func(g *dag.Graph, name dag.Val[string]) dag.Val[Photo] {
	photo := dag.Do(g, Fetch, name)
	return dag.If(g, dag.Pick(g, photo, Photo.isLarge),
		func(g *dag.Graph) dag.Val[Photo] { return dag.Do(g, Shrink, photo) },
		func(g *dag.Graph) dag.Val[Photo] { return photo })
})

var Caption = dag.New("caption", func(g *dag.Graph, photo dag.Val[Photo]) dag.Val[string] {
	return dag.Switch(g, dag.Pick(g, photo, Photo.kind), []dag.Branch[string, string]{
		dag.Case("jpg", func(g *dag.Graph) dag.Val[string] { return dag.Do(g, Describe, photo) }),
		dag.Case("gif", func(g *dag.Graph) dag.Val[string] { return dag.Const(g, "it moves") }),
		dag.Default[string](func(g *dag.Graph) dag.Val[string] { return dag.Const(g, "") }),
	})
})

var Safe = dag.New("safe", func(g *dag.Graph, name dag.Val[string]) dag.Val[Photo] {
	tried := dag.Try(g, dag.Do(g, Fetch, name, dag.With(task.MaxRetry(1))))
	return dag.Pick(g, tried, orPlaceholder)
})

func orPlaceholder(tried workflow.Outcome[Photo]) Photo {
	if photo, err := tried.Get(); err == nil {
		return photo
	}
	return Photo{Name: "placeholder.png", Size: 1}
}

var Quickest = dag.New("quickest", func(g *dag.Graph, name dag.Val[string]) dag.Val[Photo] {
	return dag.First(g, []dag.Val[Photo]{dag.Do(g, Fetch, name), dag.Do(g, Mirror, name)}, dag.CancelLosers())
})

var Approve = workflow.NewSignal[bool]("approve")

var Reviewed = dag.New("reviewed", func(g *dag.Graph, photo dag.Val[Photo]) dag.Val[string] {
	text := dag.Do(g, Describe, photo)
	approved := dag.AwaitOr(g, Approve, 24*time.Hour, false, dag.After(text))
	return dag.If(g, approved,
		func(g *dag.Graph) dag.Val[string] { return dag.Do(g, Publish, dag.Join2(g, photo, text, newCard)) },
		func(g *dag.Graph) dag.Val[string] { return dag.Const(g, "not published") })
})

var Later = dag.New("later", func(g *dag.Graph, photo dag.Val[Photo]) dag.Val[string] {
	url := dag.Do(g, Publish, dag.Join2(g, photo, dag.Const(g, ""), newCard))
	day := dag.Sleep(g, 24*time.Hour, dag.After(url))
	dag.Do(g, Clean, dag.Const(g, workflow.None{}), dag.After(day))
	return url
})

var Fitted = dag.New("fitted", func(g *dag.Graph, photo dag.Val[Photo]) dag.Val[Photo] {
	return dag.Until(g, Shrink, photo, Photo.isSmall, 10)
})

var Gallery = dag.New("gallery", func(g *dag.Graph, names dag.Val[[]string]) dag.Val[[]string] {
	return dag.Map(g, Page, names, dag.Parallel(4)) // Page is a workflow
})

var Scan = workflow.NewStep("scan", func(ctx context.Context, folder string) (string, error) {
	for _, name := range []string{"a.jpg", "b.jpg"} { // as the folder has them
		if err := workflow.Add(ctx, Fetch.With(folder+"/"+name)); err != nil {
			return "", err
		}
	}
	return folder + " is in", nil
})

var Import = dag.New("import", func(g *dag.Graph, folder dag.Val[string]) dag.Val[string] {
	return dag.Do(g, Scan, folder)
})

// A Purchase is what a photo is bought for.
type Purchase struct{ Key string }

var (
	Buy = workflow.NewStep("buy", func(ctx context.Context, p Photo) (Purchase, error) {
		return bank.charge(workflow.StepKey(ctx))
	}, task.Timeout(10*time.Second), task.MaxRetry(0))
	Refund = workflow.NewStep("refund", func(_ context.Context, u workflow.Undo[Photo, Purchase]) (workflow.None, error) {
		if u.Unknown {
			return workflow.None{}, bank.refundIfAny(u.Input)
		}
		return workflow.None{}, bank.refund(u.Output)
	})
	Bought = dag.New("bought", func(g *dag.Graph, photo dag.Val[Photo]) dag.Val[string] {
		paid := dag.Do(g, workflow.Reversible(Buy, Refund), photo)
		return dag.Do(g, Publish, dag.Join2(g, photo, dag.Pick(g, paid, Purchase.text), newCard))
	})
)

func (p Purchase) text() string { return "bought: " + p.Key }

var Sign = workflow.Raw("sign", func(_ context.Context, t *task.Task) error {
	_, err := t.ResultWriter().Write(append(bytes.ToUpper(t.Payload()), '!'))
	return err
})

var Signed = dag.New("signed", func(g *dag.Graph, text dag.Val[string]) dag.Val[string] {
	signed := dag.Do(g, Sign, dag.Pick(g, text, toBytes))
	return dag.Pick(g, signed, toString)
})

func toBytes(s string) []byte  { return []byte(s) }
func toString(b []byte) string { return string(b) }

var Embed = workflow.Batched("embed", workflow.Batch{MaxSize: 100, MaxWait: time.Second},
	func(_ context.Context, texts []string) ([]workflow.Result[int], error) {
		all := make([]workflow.Result[int], len(texts)) // one call for all of them
		for i, text := range texts {
			if all[i].Value = len(text); text == "" {
				all[i].Err = errors.New("nothing to embed")
			}
		}
		return all, nil
	})

var Embedded = dag.New("embedded", func(g *dag.Graph, text dag.Val[string]) dag.Val[int] {
	return dag.Do(g, Embed, text)
})

var Twice = dag.New("twice", func(g *dag.Graph, photo dag.Val[Photo]) dag.Val[Photo] {
	half := dag.Do(g, Shrink, photo)
	return dag.Do(g, Shrink, half, dag.As("shrink-again"), dag.With(task.MaxRetry(0)))
})

// bank stands for somebody else's service.
var bank account

type account struct{}

func (account) charge(key string) (Purchase, error) { return Purchase{key}, nil }
func (account) refund(Purchase) error               { return nil }
func (account) refundIfAny(Photo) error             { return nil }
