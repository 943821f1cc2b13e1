// Package access says who asks for something, and what they may: see [Authoriser].
package access
