// Package footprint keeps a process small: what only the start needed goes back
// to the operating system. Start reading at Trim.
package footprint

import "runtime/debug"

// Trim gives back what the start used and the work does not need: the heap that
// reading and planning left behind, and the pages of the program that only
// initialisation walked through. A page that is needed again is read again, from
// the page cache as a rule. On systems other than Linux only the heap goes back.
// Call it once, when the process is ready.
func Trim() {
	debug.FreeOSMemory()
	// A system that refuses leaves the process as it was, which is no fault.
	_ = dropProgram()
}
