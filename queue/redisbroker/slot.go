package redisbroker

import (
	"fmt"
	"strconv"
)

// slots is how many hash slots a cluster has.
const slots = 16384

// slot returns the slot of keys whose hash tag is tag: its CRC16 by XMODEM.
func slot(tag string) int {
	crc := uint16(0)
	for i := range len(tag) {
		crc ^= uint16(tag[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc) % slots
}

// shardTags returns the hash tags of a namespace that is divided in n: the prefix,
// the shard's number, and behind a dot what has its slot lie in the shard's n-th
// of all slots. So shards lie as evenly over a cluster as its slots do.
func shardTags(prefix string, n int) []string {
	tags := make([]string, n)
	for i := range tags {
		begin, end := i*slots/n, (i+1)*slots/n
		for try := 0; tags[i] == ""; try++ {
			tag := fmt.Sprintf("%s-%02d.%s", prefix, i, strconv.FormatInt(int64(try), 36))
			if s := slot(tag); begin <= s && s < end {
				tags[i] = tag
			}
		}
	}
	return tags
}
