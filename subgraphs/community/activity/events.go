package activity

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// SubjectChanged is sent after each change of an activity or of its places.
const SubjectChanged = "community.activity.changed"

const subjectNotification = "community.notification.requested"

// Changed is the payload of SubjectChanged.
type Changed struct {
	ActivityID string        `json:"activityId"`
	AreaCode   string        `json:"areaCode"`
	State      ActivityState `json:"state"`
	Remaining  int           `json:"remaining"`
	At         time.Time     `json:"at"`
}

type notification struct {
	RequestID string            `json:"requestId"`
	Recipient map[string]string `json:"recipient"`
	Topic     string            `json:"topic"`
	Title     string            `json:"title"`
	Body      string            `json:"body"`
	Link      string            `json:"link"`
}

// announce puts the change's event, and what citizens are to be told, into the outbox.
func announce(ctx context.Context, tx sqlx.ExtContext, a *Activity, at time.Time, notices ...outbox.Message) error {
	changed := outbox.Message{Subject: SubjectChanged, AreaCode: a.AreaCode, Payload: Changed{
		ActivityID: a.ID, AreaCode: a.AreaCode, State: a.State, Remaining: a.Remaining(), At: at,
	}}
	return outbox.Append(ctx, tx, "community", append([]outbox.Message{changed}, notices...)...)
}

func tell(a *Activity, citizenID, title, body string) outbox.Message {
	return outbox.Message{Subject: subjectNotification, AreaCode: a.AreaCode, Payload: notification{
		RequestID: uuid.Must(uuid.NewV7()).String(), Recipient: map[string]string{"citizenId": citizenID},
		Topic: "activity", Title: title, Body: "《" + a.Title + "》" + body, Link: "activity/" + a.ID,
	}}
}
