package footprint

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dropProgram unmaps the resident pages of the program's own file, those that
// cannot have been written to: they come back from the file when touched.
func dropProgram() error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("footprint: finding the program: %w", err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return fmt.Errorf("footprint: reading the map of memory: %w", err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		from, size, ok := readOnly(lines.Bytes(), program)
		if !ok {
			continue
		}
		mapping := unsafe.Slice((*byte)(at(from)), size)
		// Else one touch could bring back two megabytes; a kernel without large
		// pages refuses, and has no need of it.
		_ = unix.Madvise(mapping, unix.MADV_NOHUGEPAGE)
		if err := unix.Madvise(mapping, unix.MADV_DONTNEED); err != nil {
			return fmt.Errorf("footprint: giving pages back: %w", err)
		}
	}
	return nil
}

// readOnly reads one line of the map of memory (proc(5)): where a range begins
// and its size, if it is a private mapping of the program that nobody can write.
func readOnly(line []byte, program string) (from uintptr, size int, ok bool) {
	fields := bytes.Fields(line)
	if len(fields) != 6 || string(fields[5]) != program {
		return 0, 0, false
	}
	if rights := string(fields[1]); rights != "r-xp" && rights != "r--p" {
		return 0, 0, false
	}
	first, last, found := bytes.Cut(fields[0], []byte("-"))
	begin, err1 := strconv.ParseUint(string(first), 16, 64)
	end, err2 := strconv.ParseUint(string(last), 16, 64)
	if !found || err1 != nil || err2 != nil || end <= begin {
		return 0, 0, false
	}
	return uintptr(begin), int(end - begin), true
}

// at is the address as a pointer: it leads into the program, not into the heap,
// so the collector has no say in it.
func at(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }
