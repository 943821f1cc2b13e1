package tracing

// What tests see of the package.
var (
	DefaultSampler = environmentSampler
	ReadHistory    = func(text string) string { return readHistory(text).String() }
)
