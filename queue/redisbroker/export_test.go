package redisbroker

// ShardKeys returns the name of a key of each shard.
func ShardKeys(prefix string, n int) []string {
	var names []string
	for _, tag := range shardTags(prefix, n) {
		names = append(names, keys("{"+tag+"}").queues())
	}
	return names
}

// A Target is what a URL says, as far as tests look at it.
type Target struct {
	Hosts          []string
	User, Password string
	DB             int
}

// ReadURL returns what url says.
func ReadURL(url string) (Target, error) {
	t, err := parseURL(url)
	return Target{t.hosts, t.user, t.password, t.db}, err
}
