// Package live renders what is shown on pages again and again, once for all who look
// at the same, and tells their browsers what has changed.
package live
