package redisbroker

// ShardKeys returns the name of a key of each shard.
func ShardKeys(prefix string, n int) []string {
	var names []string
	for _, tag := range shardTags(prefix, n) {
		names = append(names, keys("{"+tag+"}").queues())
	}
	return names
}
