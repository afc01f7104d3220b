package redis

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// snapshot is the file's content. Streams and HyperLogLogs are not kept: their
// readers start anew after a restart.
type snapshot struct {
	Entries []entry `json:"entries"`
}

// entry is one key; exactly one of the values is set. Values are bytes, for a
// Redis value need not be text.
type entry struct {
	Key    string             `json:"key"`
	Expiry *time.Time         `json:"expiry,omitempty"`
	Text   []byte             `json:"string,omitempty"`
	List   [][]byte           `json:"list,omitempty"`
	Set    [][]byte           `json:"set,omitempty"`
	Hash   map[string][]byte  `json:"hash,omitempty"`
	Sorted map[string]float64 `json:"sorted,omitempty"`
	Type   string             `json:"type"`
}

// save writes what the server holds, whole or not at all.
func (s *Server) save(now time.Time) error {
	content, err := json.Marshal(s.take(now))
	if err != nil {
		return fmt.Errorf("redis: write the snapshot: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.file), 0o700); err != nil {
		return fmt.Errorf("redis: write the snapshot: %w", err)
	}
	temporary := s.file + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return fmt.Errorf("redis: write the snapshot: %w", err)
	}
	if err := os.Rename(temporary, s.file); err != nil {
		return fmt.Errorf("redis: put the snapshot in place: %w", err)
	}
	return nil
}

func (s *Server) take(now time.Time) snapshot {
	taken := snapshot{Entries: []entry{}}
	for _, key := range s.redis.Keys() {
		kept := entry{Key: key, Type: s.redis.Type(key)}
		// A key that vanishes between two of these calls gives an error and is left out.
		var err error
		switch kept.Type {
		case "string":
			var text string
			text, err = s.redis.Get(key)
			kept.Text = []byte(text)
		case "list":
			var values []string
			values, err = s.redis.List(key)
			kept.List = toBytes(values)
		case "set":
			var values []string
			values, err = s.redis.SMembers(key)
			kept.Set = toBytes(values)
		case "hash":
			var fields []string
			fields, err = s.redis.HKeys(key)
			kept.Hash = make(map[string][]byte, len(fields))
			for _, field := range fields {
				kept.Hash[field] = []byte(s.redis.HGet(key, field))
			}
		case "zset":
			kept.Sorted, err = s.redis.SortedSet(key)
		default:
			continue
		}
		if err != nil {
			continue
		}
		if left := s.redis.TTL(key); left > 0 {
			expiry := now.Add(left)
			kept.Expiry = &expiry
		}
		taken.Entries = append(taken.Entries, kept)
	}
	return taken
}

// load puts the file's entries back, but for those whose time has passed.
func (s *Server) load(now time.Time) error {
	content, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("redis: read the snapshot: %w", err)
	}
	var kept snapshot
	if err := json.Unmarshal(content, &kept); err != nil {
		return fmt.Errorf("redis: the snapshot %s is damaged (remove it to start empty): %w", s.file, err)
	}
	for _, entry := range kept.Entries {
		if entry.Expiry != nil && !entry.Expiry.After(now) {
			continue
		}
		if err := s.put(entry); err != nil {
			return fmt.Errorf("redis: put %q back: %w", entry.Key, err)
		}
		if entry.Expiry != nil {
			s.redis.SetTTL(entry.Key, entry.Expiry.Sub(now))
		}
	}
	return nil
}

func (s *Server) put(e entry) error {
	var err error
	switch e.Type {
	case "string":
		err = s.redis.Set(e.Key, string(e.Text))
	case "list":
		_, err = s.redis.RPush(e.Key, toStrings(e.List)...)
	case "set":
		_, err = s.redis.SAdd(e.Key, toStrings(e.Set)...)
	case "hash":
		for field, value := range e.Hash {
			s.redis.HSet(e.Key, field, string(value))
		}
	case "zset":
		for member, score := range e.Sorted {
			if _, err = s.redis.ZAdd(e.Key, score, member); err != nil {
				return err
			}
		}
	}
	return err
}

func toBytes(values []string) [][]byte {
	converted := make([][]byte, len(values))
	for i, value := range values {
		converted[i] = []byte(value)
	}
	return converted
}

func toStrings(values [][]byte) []string {
	converted := make([]string, len(values))
	for i, value := range values {
		converted[i] = string(value)
	}
	return converted
}
