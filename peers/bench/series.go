package main

import "math"

// A series shows how fast the systems drain as something grows.
type series struct {
	name, title, text string
	x                 string // what grows
	quantity          string
	bytes             bool // show bytes a second, too
}

var allSeries = []series{
	{
		name: "waiting", title: "More tasks waiting", x: "tasks waiting", quantity: running,
		text: "The time is from the first handler's call to the last's, of as many tasks as take some seconds.",
	},
	{
		name: "queues", title: "More queues", x: "queues, all with work", quantity: rate,
		text: "The tasks are spread evenly over the queues, which have the same priority.",
	},
	{
		name: "payload", title: "Larger payloads", x: "bytes of payload", quantity: rate, bytes: true,
		text: "The payload travels to the worker; nothing comes back.",
	},
	{
		name: "processes", title: "More worker processes", x: "processes", quantity: rate,
		text: "Each has 100 slots. They share the cores with Redis, so more processes than cores gain nothing here.",
	},
}

// A filed chart is one in a file of that name.
type filed struct {
	chart
	file string
}

// charts returns what there is to be seen of s in r.
func (s series) charts(r results) []filed {
	c := chart{Title: s.title, X: s.x, Y: "tasks drained a second"}
	for _, m := range measurements {
		if m.name != s.name {
			continue
		}
		for _, x := range m.points {
			if len(r[at(s.name, x)]) > 0 {
				c.Points = append(c.Points, x)
			}
		}
	}
	if len(c.Points) == 0 {
		return nil
	}
	inBytes := c
	inBytes.Title, inBytes.Y = s.title+", in bytes", "bytes of payload a second"
	for _, system := range onRedis {
		tasks, bytes := make([]float64, len(c.Points)), make([]float64, len(c.Points))
		for i, x := range c.Points {
			tasks[i] = math.NaN()
			if values := r.of(at(s.name, x), system, s.quantity); len(values) > 0 {
				tasks[i] = median(values)
			}
			bytes[i] = tasks[i] * float64(x)
		}
		c.Lines = append(c.Lines, line{system, tasks})
		inBytes.Lines = append(inBytes.Lines, line{system, bytes})
	}
	all := []filed{{c, s.name + ".svg"}}
	if s.bytes {
		all = append(all, filed{inBytes, s.name + "-bytes.svg"})
	}
	return all
}
