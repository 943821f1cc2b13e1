package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAxesEndAtRoundValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ y, most, step float64 }{
		{0, 1, 0.25}, {1, 1, 0.25}, {1.1, 1.25, 0.25}, {47_000, 50_000, 10_000}, {93_400, 100_000, 20_000}, {101, 125, 25}, {7.5, 8, 2}, {1e6, 1e6, 250_000},
	} {
		if most, step := roundUp(c.y); most != c.most || step != c.step {
			t.Errorf("roundUp(%v) = %v, %v, want %v, %v", c.y, most, step, c.most, c.step)
		}
	}
}

func TestAChartIsScaledToItsRoom(t *testing.T) {
	t.Parallel()
	c := chart{Points: []int{10, 100, 1000}, Lines: []line{
		{"asynq", []float64{100, 50, math.NaN()}},
		{"Leat, Redis", []float64{0, 25, 52}},
	}}
	d := c.drawing()
	want := []curve{
		{Name: "Leat, Redis", Class: "leat", Dots: []dot{{left, bottom}, {(left + right) / 2, bottom - (bottom-top)/4}, {right, 164}}, NameAt: dot{right, 164}},
		{Name: "asynq", Class: "peer", Dots: []dot{{left, top}, {(left + right) / 2, (top + bottom) / 2}}, NameAt: dot{(left + right) / 2, 164 + nameHeight}},
	}
	if diff := cmp.Diff(want, d.Curves); diff != "" {
		t.Errorf("the curves (-want +got):\n%s", diff)
	}
	if first, last := d.YTicks[0], d.YTicks[len(d.YTicks)-1]; first != (tick{bottom, "0"}) || last != (tick{top, "100"}) {
		t.Errorf("the axis goes from %v to %v, want 0 at the bottom, 100 at the top", first, last)
	}
}

func TestNamesOfCurvesDoNotLieOnEachOther(t *testing.T) {
	t.Parallel()
	d := drawing{Curves: []curve{{NameAt: dot{9, 100}}, {NameAt: dot{9, 99}}, {NameAt: dot{9, 200}}}}
	d.partNames()
	var got []float64
	for _, k := range d.Curves {
		got = append(got, k.NameAt.Y)
	}
	if diff := cmp.Diff([]float64{99, 115, 200}, got); diff != "" {
		t.Errorf("heights of the names (-want +got):\n%s", diff)
	}
}

func TestAChartIsSoundXML(t *testing.T) {
	t.Parallel()
	c := chart{Title: `"More" & <more>`, Points: []int{1, 2}, Lines: []line{{"a<b", []float64{1, 2}}}}
	text, err := c.svg()
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
}
