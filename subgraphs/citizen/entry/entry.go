// Package entry holds the entries of services: each service has one master, and
// may have a replica for a client, which inherits the master's values and
// overrides some (服务入口: 主服务与副本).
//
// Start reading at ServiceEntry and Of; who may change them is in manage.go.
package entry

import (
	"strconv"
	"strings"

	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
)

// EntryKind tells the master from replicas.
type EntryKind string

// The kinds.
const (
	Master  EntryKind = "MASTER"
	Replica EntryKind = "REPLICA"
)

// EntryField is a value that a replica may override.
type EntryField string

// The fields.
const (
	FieldTitle       EntryField = "TITLE"
	FieldSummary     EntryField = "SUMMARY"
	FieldTarget      EntryField = "TARGET"
	FieldSortOrder   EntryField = "SORT_ORDER"
	FieldMinVersion  EntryField = "MIN_VERSION"
	FieldGreyPercent EntryField = "GREY_PERCENT"
	FieldEnabled     EntryField = "ENABLED"
)

// ServiceEntry is an entry with the values that are in force: its own, or
// those that it inherits.
type ServiceEntry struct {
	ID          string
	ServiceID   string
	Kind        EntryKind
	Client      *catalogue.Client // nil for the master
	Title       string
	Summary     string
	Target      string // a path of ours, or an https address
	SortOrder   int
	MinVersion  *string // of the client, such as "3.2.0"; nil for any
	GreyPercent int     // 100 is everybody
	Enabled     bool
	Overrides   []EntryField
	Version     int
}

// line is an entry as stored: nil inherits.
type line = catalogue.EntryLine

// Set is the entries of one service, the master first, then replicas by client.
type Set []*ServiceEntry

// Of gives the service's entries, which were read with it.
func Of(s *catalogue.Service) Set {
	var master *ServiceEntry
	set := make(Set, 0, len(s.EntryLines))
	for _, l := range s.EntryLines {
		l.ServiceID = s.ID
		switch {
		case l.Client == "": // comes first, as "" does in the order of clients
			master = &ServiceEntry{Kind: Master, Title: s.Name, Summary: s.Summary}
			over(master, l)
			master.Overrides = []EntryField{}
			set = append(set, master)
		case master != nil:
			replica := *master
			client := catalogue.Client(l.Client)
			replica.Kind, replica.Client, replica.Overrides = Replica, &client, []EntryField{}
			over(&replica, l)
			set = append(set, &replica)
		}
	}
	return set
}

// over puts the line's own values over those of the entry.
func over(e *ServiceEntry, l line) {
	e.ID, e.ServiceID, e.Version = l.ID, l.ServiceID, l.Version
	put(e, FieldTitle, &e.Title, l.Title)
	put(e, FieldSummary, &e.Summary, l.Summary)
	put(e, FieldTarget, &e.Target, l.Target)
	put(e, FieldSortOrder, &e.SortOrder, l.SortOrder)
	put(e, FieldGreyPercent, &e.GreyPercent, l.GreyPercent)
	put(e, FieldEnabled, &e.Enabled, l.Enabled)
	if l.MinVersion != nil {
		e.MinVersion = l.MinVersion
		e.Overrides = append(e.Overrides, FieldMinVersion)
	}
}

func put[T any](e *ServiceEntry, field EntryField, value *T, own *T) {
	if own != nil {
		*value = *own
		e.Overrides = append(e.Overrides, field)
	}
}

// For gives the entry in force on the client: its replica, else the master.
func (s Set) For(client catalogue.Client) *ServiceEntry {
	for _, e := range s {
		if e.Client != nil && *e.Client == client {
			return e
		}
	}
	if len(s) == 0 {
		return nil
	}
	return s[0]
}

// Shown gives the master and the client's replica; all when client is nil.
// Disabled ones are for managers only.
func (s Set) Shown(client *catalogue.Client, managed bool) []*ServiceEntry {
	chosen := []*ServiceEntry{}
	for _, e := range s {
		mine := client == nil || e.Client == nil || *e.Client == *client
		if mine && (e.Enabled || managed) {
			chosen = append(chosen, e)
		}
	}
	return chosen
}

// Open says whether the viewer ("" for nobody) comes in through the entry.
func (e *ServiceEntry) Open(viewer string) bool {
	return e.Enabled && (e.GreyPercent == 100 || catalogue.GreyShare(e.ServiceID, viewer) < e.GreyPercent)
}

// Supports says whether the client's version is new enough. A client that does
// not say its version is taken for new.
func (e *ServiceEntry) Supports(version *string) bool {
	if e.MinVersion == nil || version == nil {
		return true
	}
	have, need := strings.Split(*version, "."), strings.Split(*e.MinVersion, ".")
	for i := range need {
		h, n := 0, 0
		if i < len(have) {
			h, _ = strconv.Atoi(have[i])
		}
		n, _ = strconv.Atoi(need[i])
		if h != n {
			return h > n
		}
	}
	return true
}
