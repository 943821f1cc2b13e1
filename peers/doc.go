// Package peers tests Leat beside other task queues, each as its own project
// ships it. It is a module of its own, so that nobody who uses Leat downloads
// them. It holds tests, and the command that measures them side by side.
//
// Leat promises to share a Redis with asynq v0.26: each side runs what the other
// has enqueued, retries what the other has failed, and takes over what the other
// has left behind. The tests here hold it to that with asynq's client, server,
// scheduler and inspector.
package peers
