package browsertest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"slices"
)

// mostColors is how many colors a picture with a palette has.
const mostColors = 256

// smaller returns a PNG with the most frequent colors of another, each in place of those
// that are like it: a picture of text is a third as large then.
func smaller(picture []byte) ([]byte, error) {
	whole, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	reduced := image.NewPaletted(whole.Bounds(), chosen(frequent(whole)))
	index := map[color.Color]uint8{}
	for y := whole.Bounds().Min.Y; y < whole.Bounds().Max.Y; y++ {
		for x := whole.Bounds().Min.X; x < whole.Bounds().Max.X; x++ {
			c := whole.At(x, y)
			i, known := index[c]
			if !known {
				i = uint8(reduced.Palette.Index(c)) //nolint:gosec // there are 256
				index[c] = i
			}
			reduced.SetColorIndex(x, y, i)
		}
	}
	var b bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, reduced)
	return b.Bytes(), err
}

// chosen returns the first colors that are not much like one before.
func chosen(colors color.Palette) (all color.Palette) {
	for _, c := range colors {
		if len(all) < mostColors && !slices.ContainsFunc(all, func(other color.Color) bool { return alike(c, other) }) {
			all = append(all, c)
		}
	}
	return all
}

// alike reports whether two colors can hardly be told apart.
func alike(a, b color.Color) bool {
	r, g, b1, _ := a.RGBA()
	x, y, z, _ := b.RGBA()
	apart := max(r, x) - min(r, x) + max(g, y) - min(g, y) + max(b1, z) - min(b1, z)
	return apart>>8 < 12
}

// frequent returns the colors of a picture, the most frequent first.
func frequent(picture image.Image) color.Palette {
	count := map[color.Color]int{}
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y++ {
		for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x++ {
			count[picture.At(x, y)]++
		}
	}
	var colors color.Palette
	for c := range count {
		colors = append(colors, c)
	}
	slices.SortFunc(colors, func(a, b color.Color) int { return count[b] - count[a] })
	return colors
}
