package message

import (
	"hash/fnv"
	"time"

	"github.com/citizencloud/citizencloud/foundation/workday"
	"github.com/citizencloud/citizencloud/subgraphs/platform/messagetemplate"
	"github.com/citizencloud/citizencloud/subgraphs/platform/notification"
)

// Rule is how messages of a class treat people.
type Rule struct {
	Quiet     bool // waits from 22:00 to 8:00, outside of the platform
	MayOptOut bool
	Cap       int // messages to one person in 24 hours; 0 is without limit
	// Insist hands a short message without a receipt to another provider, once:
	// twice is better than never. The others are closed as unknown.
	Insist bool
	topic  notification.Topic
}

// rules by class. Emergencies pass everything.
var rules = map[messagetemplate.Class]Rule{
	messagetemplate.Emergency: {Insist: true, topic: notification.System},
	messagetemplate.Affairs:   {Quiet: true, Cap: 10, Insist: true, topic: notification.CityService},
	messagetemplate.Community: {Quiet: true, MayOptOut: true, Cap: 5, topic: notification.System},
	messagetemplate.Activity:  {Quiet: true, MayOptOut: true, Cap: 3, topic: notification.Activity},
	messagetemplate.Promotion: {Quiet: true, MayOptOut: true, Cap: 1, topic: notification.CityService},
}

const (
	quietFrom = 22 // o'clock in Chengdu
	quietTo   = 8
	capWindow = 24 * time.Hour
)

// waking is the moment itself, or the end of the quiet hours that it lies in.
func waking(at time.Time) time.Time {
	local := at.In(workday.Zone)
	morning := time.Date(local.Year(), local.Month(), local.Day(), quietTo, 0, 0, 0, workday.Zone)
	switch {
	case local.Before(morning):
		return morning
	case local.Hour() >= quietFrom:
		return morning.AddDate(0, 0, 1)
	default:
		return at
	}
}

// due is when a delivery may be made.
func due(class messagetemplate.Class, channel Channel, at time.Time) time.Time {
	if channel == InApp || !rules[class].Quiet {
		return at
	}
	return waking(at)
}

const (
	maxAttempts = 6
	firstPause  = 30 * time.Second
	longest     = time.Hour
	// lease is how long a process may take to hand a delivery over: then another
	// one takes it, with the same key.
	lease = 2 * time.Minute
	// ReceiptTimeout is how long a provider may take to tell what became of a
	// short message, where nothing else is configured.
	ReceiptTimeout = 10 * time.Minute
)

// insistent are the classes whose short messages go out once more.
func insistent() []string {
	var classes []string
	for class, rule := range rules {
		if rule.Insist {
			classes = append(classes, string(class))
		}
	}
	return classes
}

// pause is how long to wait after so many attempts: nothing after the first,
// as another provider may take it, then 30 s doubling to an hour; jitter by the
// delivery's ID takes off up to a third, so that not all come back at once.
func pause(id string, attempts int) time.Duration {
	if attempts <= 1 {
		return 0
	}
	full := longest
	if attempts < 10 {
		full = min(longest, firstPause<<(attempts-2))
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	_, _ = h.Write([]byte{byte(attempts)})
	return full - full*time.Duration(h.Sum32()%1000)/3000
}
