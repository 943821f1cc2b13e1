package redisbroker

import "encoding/binary"

// A packer writes MessagePack, which scripts read with cmsgpack: the few kinds
// of it that changes are made of.
type packer struct{ b []byte }

func (p *packer) text(s string) {
	p.length(len(s))
	p.b = append(p.b, s...)
}

func (p *packer) bytes(s []byte) {
	p.length(len(s))
	p.b = append(p.b, s...)
}

// length begins a string of n bytes.
func (p *packer) length(n int) {
	switch {
	case n < 1<<5:
		p.b = append(p.b, 0xa0|byte(n))
	case n < 1<<16:
		p.b = binary.BigEndian.AppendUint16(append(p.b, 0xda), uint16(n))
	default:
		p.b = binary.BigEndian.AppendUint32(append(p.b, 0xdb), uint32(n))
	}
}

func (p *packer) int(n int64) {
	if n >= 0 && n < 1<<7 {
		p.b = append(p.b, byte(n))
		return
	}
	p.b = binary.BigEndian.AppendUint64(append(p.b, 0xd3), uint64(n))
}

func (p *packer) yes() { p.b = append(p.b, 0xc3) }
func (p *packer) no()  { p.b = append(p.b, 0xc2) }

// begin begins a string of unknown length, and end ends the one that begin has
// begun at that place.
func (p *packer) begin() int {
	p.b = append(p.b, 0xdb, 0, 0, 0, 0)
	return len(p.b)
}

func (p *packer) end(at int) {
	binary.BigEndian.PutUint32(p.b[at-4:], uint32(len(p.b)-at))
}

// list begins a list of n values.
func (p *packer) list(n int) {
	if n < 1<<4 {
		p.b = append(p.b, 0x90|byte(n))
		return
	}
	p.b = binary.BigEndian.AppendUint32(append(p.b, 0xdd), uint32(n))
}

// An object is a map that is being written. Its fields are counted as they come.
type object struct {
	*packer
	at int // where the count is
}

func (p *packer) object() object {
	p.b = append(p.b, 0xde, 0, 0)
	return object{p, len(p.b) - 2}
}

// orNo makes o, if it has no fields, a no.
func (o object) orNo() {
	if o.b[o.at]|o.b[o.at+1] == 0 {
		o.b = append(o.b[:o.at-1], 0xc2)
	}
}

// field begins the value of a field; the value is to be written next.
func (o object) field(name string) *packer {
	n := binary.BigEndian.Uint16(o.b[o.at:])
	binary.BigEndian.PutUint16(o.b[o.at:], n+1)
	o.packer.text(name)
	return o.packer
}
