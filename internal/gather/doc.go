// Package gather leases batches from the groups of queues as soon as these are ripe,
// and keeps them leased while somebody does what they are for.
//
// A [Watcher] learns of groups from the storage, which wakes it when something joins
// one, and keeps for each when it is to be asked for a batch: a line of groups, the
// first of which sets the clock. So a group in which nothing happens costs nothing. What
// is ripe gets a hand, as many at once as the group's [Rule] has. A hand asks for a
// batch, says when the group is next ripe so that another may go on with it, and runs
// the batch: its lease is extended until it is settled.
//
// A member whose workers have died again and again is run alone, and nothing else of
// that kind meanwhile, so that it can be no other's death. One that has died once is
// not: a deploy that kills a worker does not make a hundred calls of one.
package gather
