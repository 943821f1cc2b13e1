package brokertest

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// brief prints v as Go does with %+v, but without what is zero, so that a
// change shows only what it does.
func brief(v any) string {
	var b strings.Builder
	writeBrief(&b, reflect.ValueOf(v))
	return b.String()
}

func writeBrief(b *strings.Builder, v reflect.Value) {
	switch at, isTime := v.Interface().(time.Time); {
	case isTime:
		b.WriteString(at.UTC().Format("02T15:04:05.000000"))
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		fmt.Fprintf(b, "%q", v.Bytes())
	case v.Kind() == reflect.Slice:
		b.WriteString("[")
		for i := range v.Len() {
			if i > 0 {
				b.WriteString(" ")
			}
			writeBrief(b, v.Index(i))
		}
		b.WriteString("]")
	case v.Kind() == reflect.Struct:
		writeBriefStruct(b, v)
	default:
		fmt.Fprintf(b, "%v", v)
	}
}

func writeBriefStruct(b *strings.Builder, v reflect.Value) {
	b.WriteString("{")
	written := false
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			continue
		}
		if written {
			b.WriteString(" ")
		}
		written = true
		b.WriteString(v.Type().Field(i).Name + ":")
		writeBrief(b, v.Field(i))
	}
	b.WriteString("}")
}
