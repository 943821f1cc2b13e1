package spoken

import "testing"

func TestSchedule(t *testing.T) {
	for _, c := range []struct{ spec, zone, want string }{
		{"* * * * *", "", "every minute"},
		{"*/5 * * * *", "", "every 5 minutes"},
		{"0-59/5 * * * *", "", "every 5 minutes"},
		{"0/15 * * * *", "", "every 15 minutes"},
		{"0,30 * * * *", "Asia/Tokyo", "every 30 minutes"},
		{"*/5 9-17 * * *", "", "every 5 minutes from 09:00 to 17:59, UTC"},
		{"*/5 9-17 * * 1-5", "Asia/Tokyo", "every 5 minutes from 09:00 to 17:59, Monday to Friday, Asia/Tokyo"},
		{"0 * * * *", "", "every hour"},
		{"15 * * * *", "", "every hour, 15 minutes past"},
		{"1 * * * *", "", "every hour, 1 minute past"},
		{"0 */2 * * *", "", "every 2 hours"},
		{"30 */6 * * *", "", "every day at 00:30, 06:30, 12:30 and 18:30, UTC"},
		{"0 9-17 * * mon-fri", "", "every hour from 09:00 to 17:00, Monday to Friday, UTC"},
		{"10 9-17 * * *", "", "every hour from 09:10 to 17:10, UTC"},
		{"30 2 * * *", "", "every day at 02:30, UTC"},
		{"30 2 * * *", "Europe/Berlin", "every day at 02:30, Europe/Berlin"},
		{"CRON_TZ=Asia/Tokyo 0 6 * * *", "", "every day at 06:00, Asia/Tokyo"},
		{"TZ=Asia/Tokyo  0 6 * * *", "", "every day at 06:00, Asia/Tokyo"},
		{"30 2 * * 1-5", "", "Monday to Friday at 02:30, UTC"},
		{"30 2 * * sun", "", "on Sundays at 02:30, UTC"},
		{"30 2 * * SAT,sun", "", "on Sundays and Saturdays at 02:30, UTC"},
		{"30 2 * * 0-6", "", "every day at 02:30, UTC"},
		{"30 2 1 * *", "", "on the 1st of each month at 02:30, UTC"},
		{"30 2 1,2,3,11,22 * *", "", "on the 1st, 2nd, 3rd, 11th and 22nd of each month at 02:30, UTC"},
		{"0 0 1,15 * mon", "", "on the 1st and 15th of each month, and on Mondays at 00:00, UTC"},
		{"0 0 1 * 0-6", "", "every day at 00:00, UTC"}, // one of the days is enough
		{"0 0 1-31 * mon", "", "every day at 00:00, UTC"},
		{"0 0 1 * */1", "", "on the 1st of each month at 00:00, UTC"},
		{"0 0 1 jan,7 *", "", "on the 1st in January and July at 00:00, UTC"},
		{"0 0 * 12 *", "", "every day in December at 00:00, UTC"},
		{"0 9 * 12 1", "", "on Mondays in December at 09:00, UTC"},
		{"*/10 * * 12 *", "", "every 10 minutes, every day in December, UTC"},
		{"0,30 2,14 ? * ?", "", "every day at 02:00, 02:30, 14:00 and 14:30, UTC"},
		{"15 30 2 * * *", "", "every day at 02:30:15, UTC"},
		{"0 30 2 * * *", "", "every day at 02:30, UTC"},
		{"*/10 * * * * *", "", "every 10 seconds"},
		{"* * * * * *", "", "every second"},
		{"@daily", "", "every day at 00:00, UTC"},
		{"@midnight", "Asia/Tokyo", "every day at 00:00, Asia/Tokyo"},
		{"@hourly", "", "every hour"},
		{"@weekly", "", "on Sundays at 00:00, UTC"},
		{"@monthly", "", "on the 1st of each month at 00:00, UTC"},
		{"@yearly", "", "on the 1st in January at 00:00, UTC"},
		{"@every 5m", "", "every 5 minutes"},
		{"@every 1h30m", "Asia/Tokyo", "every 90 minutes"},
		{"@every 90s", "", "every 90 seconds"},
		{"@every 24h", "", "every 24 hours"},
		{"@every 1s", "", "every second"},

		// What has no plain words, or none that would be true.
		{"*/45 * * * *", "", "*/45 * * * *"}, // minutes 0 and 45
		{"0 */5 * * *", "", "0 */5 * * *"},
		{"5/15 * * * *", "", "5/15 * * * *"},
		{"0 0 */2 * *", "", "0 0 */2 * *"},
		{"0 0 */2 * mon", "", "0 0 */2 * mon"},
		{"*/5 9,12 * * *", "", "*/5 9,12 * * *"},
		{"*/10 * 5 * * *", "", "*/10 * 5 * * *"},
		{"30 * * * * *", "", "30 * * * * *"},
		{"0 1,3,5,7,11 * * *", "Asia/Tokyo", "0 1,3,5,7,11 * * *"},

		// What makes no sense.
		{"", "", ""},
		{"@sometimes", "", "@sometimes"},
		{"@every", "", "@every"},
		{"@every 1500ms", "", "@every 1500ms"},
		{"@every -5m", "", "@every -5m"},
		{"60 * * * *", "", "60 * * * *"},
		{"* * * * 7", "", "* * * * 7"},
		{"1,,2 * * * *", "", "1,,2 * * * *"},
		{"5-1 * * * *", "", "5-1 * * * *"},
		{"+5 * * * *", "", "+5 * * * *"},
		{"*/0 * * * *", "", "*/0 * * * *"},
		{"* * *", "", "* * *"},
		{"<script> * * * *", "", "<script> * * * *"},
	} {
		if got := Schedule(c.spec, c.zone); got != c.want {
			t.Errorf("Schedule(%q, %q) = %q, want %q", c.spec, c.zone, got, c.want)
		}
	}
}
