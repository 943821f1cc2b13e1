package prom

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Series is one line of a chart.
type Series struct {
	Name   string  // of the queue, or what [Chart.Per] says; not to be trusted
	Points []Point // in order; where there is no figure, there is no point
}

// A Point is what a figure was at a time.
type Point struct {
	At    time.Time
	Value float64 // finite
}

// Range returns the lines of a chart from one time to another, by name; see
// [Client.Answer] for what may go wrong.
func (c *Client) Range(ctx context.Context, chart Chart, from, to time.Time, queues []string) ([]Series, error) {
	body, err := c.Answer(ctx, chart, from, to, queues)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Status string
		Error  string
		Data   struct {
			ResultType string
			Result     []struct {
				Metric map[string]string
				Values []sample
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, &Error{Kind: Garbled, Cause: err}
	}
	if answer.Status != "success" || answer.Data.ResultType != "matrix" {
		return nil, &Error{Kind: Garbled, Cause: fmt.Errorf("status %q, result type %q: %s", answer.Status, answer.Data.ResultType, answer.Error)}
	}
	all := make([]Series, 0, len(answer.Data.Result))
	for _, r := range answer.Data.Result {
		s := Series{Name: r.Metric[chart.Per]}
		for _, v := range r.Values {
			if p := Point(v); !math.IsNaN(p.Value) && !math.IsInf(p.Value, 0) {
				s.Points = append(s.Points, p)
			}
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Series) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// A sample is a point as the server writes it: a number of seconds, and a text with a
// number in it.
type sample Point

// UnmarshalJSON reads a point.
func (s *sample) UnmarshalJSON(text []byte) error {
	var seconds float64
	var value string
	if err := json.Unmarshal(text, &[]any{&seconds, &value}); err != nil {
		return err
	}
	v, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return err
	}
	s.At, s.Value = time.UnixMilli(int64(math.Round(seconds*1000))).UTC(), v
	return nil
}
