// Package mask hides parts of payloads, results and the like from those who may not see
// them.
package mask
