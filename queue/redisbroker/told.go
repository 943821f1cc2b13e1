package redisbroker

import (
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// since returns the time that a script says in ns by its clock, the zero time for 0 and
// for what is no number.
func (b *world) since(ns string) time.Time {
	if n, err := strconv.ParseInt(ns, 10, 64); err == nil && n != 0 {
		return broker.CeilMilli(b.clock.back(time.Unix(0, n))).UTC()
	}
	return time.Time{}
}

// lost returns the lease that ran out, of which the field leat_lost tells its token and, if it
// was that of a batch, when it began. Others say it themselves, but for those of older
// programs: then it is nil.
func (b *world) lost(field string) *broker.LostLease {
	if field == "" {
		return nil
	}
	token, text, _ := strings.Cut(field, " ")
	began, err := strconv.ParseInt(text, 10, 64)
	if text == "" {
		began, err = beganBy(token)
	}
	if err != nil {
		return nil
	}
	return &broker.LostLease{Token: token, Began: broker.CeilMilli(b.clock.back(time.UnixMilli(began))).UTC()}
}

// beganBy returns when the lease began whose token that is: see [world.stem].
func beganBy(token string) (ms int64, err error) {
	var began string
	if words := strings.Split(token, ":"); len(words) == 4 {
		began = words[2]
	}
	return strconv.ParseInt(began, 36, 64)
}
