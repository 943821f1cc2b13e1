package broker

// A Direct is a broker that may call back into the program before Apply returns, as
// one does that runs tasks where they are enqueued. No call to it may wait for
// another one to return, so a client joins none of them.
type Direct interface {
	Broker

	// Direct does nothing: to have it is what counts.
	Direct()
}
