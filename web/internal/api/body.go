package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/problem"
)

// maxBody is how many bytes may be sent.
const maxBody = 1 << 20

// bodyOf reads what is sent, which must be JSON.
func bodyOf(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return nil, problem.New(http.StatusUnsupportedMediaType, "content-type", "what is sent must be application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, problem.New(http.StatusRequestEntityTooLarge, "too-large", "at most a mebibyte may be sent")
	}
	if err != nil {
		return nil, problem.New(http.StatusBadRequest, "body", "what was sent did not arrive whole")
	}
	return body, nil
}

// decode reads JSON into v, and refuses what v has no place for.
func decode(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return badBody(body, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return task.Invalid("body", string(body), "has more behind its value")
	}
	return nil
}

// badBody returns what is told of a body that cannot be read.
func badBody(body []byte, err error) error {
	var wrong *json.UnmarshalTypeError
	switch name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); {
	case unknown:
		return task.Invalid(strings.Trim(name, `"`), "", "is no field of what is to be sent")
	case errors.As(err, &wrong) && wrong.Field != "":
		return task.Invalid(wrong.Field, wrong.Value, "must be "+wrong.Type.String())
	default:
		return task.Invalid("body", string(body), "is not what is to be sent: "+err.Error())
	}
}
