// Package brokertest is the suite that every broker passes: one case for each
// promise of package broker, and random operations whose every answer is
// compared with that of [Model], the specification in maps and slices.
//
// A broker's own test is one call:
//
//	func TestBroker(t *testing.T) {
//		brokertest.Run(t, func(t testing.TB) brokertest.Storage { … })
//	}
//
// Cases run in a bubble of package testing/synctest with a storage of their
// own, so that days pass in no time. After each of them the harness lets the
// broker check its storage ([broker.Verifier]), works off everything that is
// in it, and looks that nothing is left.
package brokertest
