package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScriptsAreToldFromWhatTheyCall(t *testing.T) {
	t.Parallel()
	const info = "# CPU\r\nused_cpu_sys:1.5\r\nused_cpu_user:2.25\r\nused_memory:4096\r\nused_memory_human:4.00K\r\n" +
		"cmdstat_evalsha:calls=10,usec=900,usec_per_call=90.00,rejected_calls=0,failed_calls=0\r\n" +
		"cmdstat_hset:calls=40,usec=200,usec_per_call=5.00,rejected_calls=0,failed_calls=0\r\n" +
		"cmdstat_client|setinfo:calls=2,usec=6,usec_per_call=3.00,rejected_calls=0,failed_calls=0\r\n"
	want := redisUse{cpu: 3.75, usec: 906, sent: 12, inside: 40, memory: 4096}
	if diff := cmp.Diff(want, parseInfo(info), cmp.AllowUnexported(redisUse{})); diff != "" {
		t.Errorf("parseInfo() (-want +got):\n%s", diff)
	}
}
