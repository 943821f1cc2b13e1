// Package protobuf is for tasks whose payload or result is a message of protocol
// buffers:
//
//	var Welcome = task.DefineWith("email:welcome", protobuf.Codec[*mailpb.Welcome](), task.JSON[Receipt]())
package protobuf

import (
	"google.golang.org/protobuf/proto"

	"github.com/leatwork/leat/task"
)

// Codec returns the codec of messages in the binary format of protocol buffers.
// M is a pointer to a generated type. Equal messages encode to equal bytes as
// long as the program is the same one. Nothing decodes to an empty message.
func Codec[M proto.Message]() task.Codec[M] { return codec[M]{} }

type codec[M proto.Message] struct{}

// Encode never returns nil, so that an empty message is stored, too.
func (codec[M]) Encode(m M) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.MarshalAppend([]byte{}, m)
}

func (codec[M]) Decode(b []byte) (M, error) {
	var none M
	m := none.ProtoReflect().New().Interface().(M)
	return m, proto.Unmarshal(b, m)
}
