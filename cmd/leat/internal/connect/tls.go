package connect

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/leatwork/leat/task"
)

// tlsConfig returns whom to trust and what to show, or nil if nothing is said of that.
func (l layer) tlsConfig() (*tls.Config, error) {
	server, ca, cert, key := l["tls_server"], l["tls_ca"], l["tls_cert"], l["tls_key"]
	if server.Text == "" && ca.Text == "" && cert.Text == "" && key.Text == "" && !l["insecure"].truth() {
		return nil, nil //nolint:nilnil // as *redisbroker.Options has it
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: server.Text, InsecureSkipVerify: l["insecure"].truth()}
	if ca.Text != "" {
		text, err := os.ReadFile(ca.Text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ca.From, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, task.Invalid(ca.From, ca.Text, "has no certificate in it")
		}
	}
	switch {
	case cert.Text != "" && key.Text != "":
		pair, err := tls.LoadX509KeyPair(cert.Text, key.Text)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return nil, fmt.Errorf("%s: %w", cert.From, err)
		case err != nil:
			return nil, task.Invalid(cert.From, cert.Text, err.Error())
		}
		c.Certificates = []tls.Certificate{pair}
	case cert.Text != "" || key.Text != "":
		return nil, task.Invalid("tls_cert", cert.Text, "needs tls_key, and the other way round")
	}
	return c, nil
}
