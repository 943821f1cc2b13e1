package wire

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leatwork/leat/queue/broker"
)

var (
	start = time.Unix(1700000000, 123456789).UTC()
	late  = start.Add(time.Minute)
)

// goldenTasks are messages that asynq's encoder made.
var goldenTasks = []struct {
	name  string
	bytes string // in hex, or as redis-cli prints them if raw
	raw   bool
	entry broker.Entry
	claim string
}{
	{
		name:  "an entry with the defaults",
		bytes: "0a0a656d61696c3a73656e6412077b2275223a317d1a0469642d31220764656661756c74281940880e",
		entry: broker.Entry{
			EntryRef: broker.EntryRef{Queue: "default", ID: "id-1"},
			Type:     "email:send",
			Payload:  []byte(`{"u":1}`),
			MaxRetry: 25,
			Timeout:  30 * time.Minute,
		},
	},
	{
		name:  "an entry with every field",
		bytes: "0a017412030001ff1a0169220171280330023a04626f6f6d403c48bce2cfaa0652166173796e713a7b717d3a756e697175653a743a6162635880e2cfaa0660901c6881e2cfaa06720267317a060a016b120176",
		entry: broker.Entry{
			EntryRef:     broker.EntryRef{Queue: "q", ID: "i"},
			Type:         "t",
			Payload:      []byte{0, 1, 255},
			Headers:      map[string]string{"k": "v"},
			MaxRetry:     3,
			Retried:      2,
			LastErr:      "boom",
			LastFailedAt: time.Unix(1700000000, 0),
			Timeout:      time.Minute,
			Deadline:     time.Unix(1700000060, 0),
			Retention:    time.Hour,
			CompletedAt:  time.Unix(1700000001, 0),
			Group:        "g1",
		},
		claim: "asynq:{q}:unique:t:abc",
	},
	{
		name:  "a record of the first program",
		raw:   true,
		bytes: "\n\remail:welcome\x12\x0e{\"user_id\":42}\x1a$d5b05d66-ff91-49a0-b35f-47962b1996be\"\adefault(\x19@\x88\x0e",
		entry: email("email:welcome", "d5b05d66-ff91-49a0-b35f-47962b1996be"),
	},
	{
		name:  "a scheduled record of the first program",
		raw:   true,
		bytes: "\n\x0eemail:reminder\x12\x0e{\"user_id\":42}\x1a$77005fca-225f-452d-adbe-66aac5561ad5\"\adefault(\x19@\x88\x0e",
		entry: email("email:reminder", "77005fca-225f-452d-adbe-66aac5561ad5"),
	},
	{
		name:  "another record of the first program",
		raw:   true,
		bytes: "\n\remail:welcome\x12\x0e{\"user_id\":42}\x1a$4974258a-d77a-4552-b8fa-16200a70380f\"\adefault(\x19@\x88\x0e",
		entry: email("email:welcome", "4974258a-d77a-4552-b8fa-16200a70380f"),
	},
}

func email(typ, id string) broker.Entry {
	return broker.Entry{
		EntryRef: broker.EntryRef{Queue: "default", ID: id},
		Type:     typ,
		Payload:  []byte(`{"user_id":42}`),
		MaxRetry: 25,
		Timeout:  30 * time.Minute,
	}
}

func TestEntriesAreEncodedAsAsynqDoes(t *testing.T) {
	for _, g := range goldenTasks {
		t.Run(g.name, func(t *testing.T) {
			want := goldenBytes(t, g.bytes, g.raw)
			got, err := EncodeEntry(g.entry, g.claim)
			if err != nil {
				t.Fatalf("EncodeEntry() = %v, want nil", err)
			}
			if string(got) != string(want) {
				t.Errorf("EncodeEntry() = %q, want %q", got, want)
			}
			entry, claim, err := DecodeEntry(want)
			if err != nil {
				t.Fatalf("DecodeEntry() = %v, want nil", err)
			}
			if diff := cmp.Diff(g.entry, entry, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("DecodeEntry() (-want +got):\n%s", diff)
			}
			if claim != g.claim {
				t.Errorf("DecodeEntry() claim = %q, want %q", claim, g.claim)
			}
		})
	}
}

var goldenServers = []struct {
	name   string
	bytes  string
	raw    bool
	server broker.Server
}{
	{
		name:  "a strict server with three workers",
		bytes: "0a0168102a1a0173200a2a0b0a0764656661756c74100130013a06616374697665420b0880e2cfaa0610959aef3a4803",
		server: broker.Server{
			ID: "s", Host: "h", PID: 42, Concurrency: 10,
			Queues: map[string]int{"default": 1}, Strict: true,
			Status: "active", Started: start, Workers: make([]broker.Worker, 3),
		},
	},
	{
		name:  "a record of the first worker program",
		raw:   true,
		bytes: "\n\x0fDESKTOP-KE1MMG0\x10\xe8E\x1a$eb4e2f3b-0f38-4504-9475-84d2364299c8 \n*\x0b\n\adefault\x10\x01:\x06activeB\x0b\b\xf4\xb5\xcd\xad\x06\x10\x90\xcd\xed=",
		server: broker.Server{
			ID: "eb4e2f3b-0f38-4504-9475-84d2364299c8", Host: "DESKTOP-KE1MMG0", PID: 8936,
			Concurrency: 10, Queues: map[string]int{"default": 1},
			Status: "active", Started: time.Unix(1706253044, 129722000),
		},
	},
}

func TestServersAreEncodedAsAsynqDoes(t *testing.T) {
	for _, g := range goldenServers {
		t.Run(g.name, func(t *testing.T) {
			want := goldenBytes(t, g.bytes, g.raw)
			got, err := EncodeServer(g.server)
			if err != nil {
				t.Fatalf("EncodeServer() = %v, want nil", err)
			}
			if string(got) != string(want) {
				t.Errorf("EncodeServer() = %q, want %q", got, want)
			}
			server, err := DecodeServer(want)
			if err != nil {
				t.Fatalf("DecodeServer() = %v, want nil", err)
			}
			if diff := cmp.Diff(g.server, server, cmpopts.IgnoreFields(broker.Server{}, "Workers")); diff != "" {
				t.Errorf("DecodeServer() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWorkersAreEncodedAsAsynqDoes(t *testing.T) {
	want := goldenBytes(t, "0a0168102a1a01732201692a01743201703a0171420b0880e2cfaa0610959aef3a4a0b08bce2cfaa0610959aef3a", false)
	server := broker.Server{ID: "s", Host: "h", PID: 42}
	worker := broker.Worker{
		Entry: broker.EntryRef{Queue: "q", ID: "i"}, Type: "t", Payload: []byte("p"),
		Started: start, Deadline: late,
	}
	got, err := EncodeWorker(server, worker)
	if err != nil || string(got) != string(want) {
		t.Fatalf("EncodeWorker() = %q, %v, want %q", got, err, want)
	}
	decoded, err := DecodeWorker(want)
	if err != nil {
		t.Fatalf("DecodeWorker() = %v, want nil", err)
	}
	if diff := cmp.Diff(worker, decoded); diff != "" {
		t.Errorf("DecodeWorker() (-want +got):\n%s", diff)
	}
}

func TestAnEmptyTaskMessageIsNoBytes(t *testing.T) {
	got, err := EncodeEntry(broker.Entry{}, "")
	if err != nil || len(got) != 0 {
		t.Errorf("EncodeEntry() of nothing = %x, %v, want no bytes", got, err)
	}
}

func TestPeriodicEntriesAreEncodedAsAsynqDoes(t *testing.T) {
	want := goldenBytes(t, "0a0165120940657665727920316d1a01742201702a0c517565756528226c6f7722292a0b4d61785265747279283329320b0880e2cfaa0610959aef3a3a0b088092b8c398feffffff01", false)
	entry := broker.PeriodicEntry{
		ID: "e", Spec: "@every 1m", Type: "t", Payload: []byte("p"),
		Options: []string{`Queue("low")`, "MaxRetry(3)"}, Next: start, // and never before
	}
	got, err := EncodePeriodic(entry)
	if err != nil || string(got) != string(want) {
		t.Fatalf("EncodePeriodic() = %x, %v, want %x", got, err, want)
	}
	decoded, err := DecodePeriodic(want)
	if err != nil {
		t.Fatalf("DecodePeriodic() = %v, want nil", err)
	}
	if diff := cmp.Diff(entry, decoded); diff != "" {
		t.Errorf("DecodePeriodic() (-want +got):\n%s", diff)
	}
}

func TestTicksAreEncodedAsAsynqDoes(t *testing.T) {
	want := goldenBytes(t, "0a0169120b0880e2cfaa0610959aef3a", false)
	tick := broker.Tick{Entry: "e", TaskID: "i", At: start}
	got, err := EncodeTick(tick)
	if err != nil || string(got) != string(want) {
		t.Fatalf("EncodeTick() = %x, %v, want %x", got, err, want)
	}
	decoded, err := DecodeTick("e", want)
	if err != nil {
		t.Fatalf("DecodeTick() = %v, want nil", err)
	}
	if diff := cmp.Diff(tick, decoded); diff != "" {
		t.Errorf("DecodeTick() (-want +got):\n%s", diff)
	}
}

func goldenBytes(t *testing.T, s string, raw bool) []byte {
	t.Helper()
	if raw {
		return []byte(s)
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
