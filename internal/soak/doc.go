// Package soak has worker processes run workflows, and batches of groups, on real
// storages while they are killed, one after another, for as long as it is told to. It
// consists of tests.
package soak
