package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"time"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
)

func (w *walk) watchBoard(ctx context.Context) (err error) {
	if w.screen, err = w.signInWorker(ctx, "screen", "SignIn", w.chief.Login); err != nil {
		return err
	}
	if w.board, err = w.screen.watch(ctx, "BoardChanged", object{"areaId": w.chief.AreaCode}); err != nil {
		return err
	}
	first, err := next(ctx, w.board, 5*time.Second)
	if err != nil {
		return fmt.Errorf("the board's present state: %w", err)
	}
	w.shown = first
	w.say("%s：总数 %d，办理中 %d，今日新增 %d", first.text("boardChanged.area.name"), first.number("boardChanged.totals.total"),
		first.number("boardChanged.totals.open"), first.number("boardChanged.totals.submittedToday"))
	return nil
}

func (w *walk) watchInbox(ctx context.Context) (err error) {
	if w.workbench, err = w.signInWorker(ctx, "workbench", "SignInWorker", w.worker.Login); err != nil {
		return err
	}
	w.inbox, err = w.workbench.watch(ctx, "NotificationReceived", nil)
	return err
}

func (w *walk) submit(ctx context.Context) error {
	receipt, err := w.app.upload(ctx, "street.png", "image/png", picture())
	if err != nil {
		return err
	}
	before := w.shown.number("boardChanged.totals.total")
	data, err := w.app.run(ctx, "SubmitFeedback", object{"input": object{
		"areaId": w.citizen.CommunityCode, "class": "FACILITY", "title": "路灯不亮", "content": "小区东门外的路灯已经三天不亮，晚上行走不便。",
		"pictures": []string{receipt},
	}})
	if err != nil {
		return err
	}
	w.caseID, w.number = data.text("submitFeedback.feedbackCase.id"), data.text("submitFeedback.feedbackCase.number")
	w.version = data.number("submitFeedback.feedbackCase.version")
	w.say("案件 %s，办理时限 %s", w.number, data.text("submitFeedback.feedbackCase.dueAt"))
	if err := w.boardShows(ctx, "SUBMIT", func(o object) bool { return o.number("boardChanged.totals.total") == before+1 }); err != nil {
		return err
	}
	return w.notified(ctx, w.inbox, "工作者")
}

func (w *walk) refuseStranger(ctx context.Context) error {
	cast := demonstration.New(demonstration.Demo, time.Now())
	for _, community := range cast.Communities() {
		if community[:6] == w.citizen.CommunityCode[:6] {
			continue
		}
		stranger, err := w.signInWorker(ctx, "workbench", "SignInWorker", cast.CommunityWorker(community).Login)
		if err != nil {
			return err
		}
		seen, err := stranger.run(ctx, "FeedbackCase", object{"id": w.caseID})
		if code(err) != "NOT_FOUND" {
			return fmt.Errorf("another district's worker sees %v (%w)", seen, err)
		}
		_, err = stranger.run(ctx, "TakeFeedback", object{"input": object{"id": w.caseID, "expectedVersion": w.version}})
		if code(err) != "NOT_FOUND" {
			return fmt.Errorf("another district's worker takes the case: %w", err)
		}
		return nil
	}
	return errors.New("the demonstration has one district only")
}

// change runs one of the worker's or citizen's mutations on the case.
func (w *walk) change(ctx context.Context, by *client, operation, field string, input object) (object, error) {
	input["id"], input["expectedVersion"] = w.caseID, w.version
	data, err := by.run(ctx, operation, object{"input": input})
	if err != nil {
		return nil, err
	}
	w.version = data.number(field + ".feedbackCase.version")
	return data, nil
}

func (w *walk) take(ctx context.Context) error {
	stale := w.version
	if _, err := w.change(ctx, w.workbench, "TakeFeedback", "takeFeedback", object{}); err != nil {
		return err
	}
	_, err := w.workbench.run(ctx, "TakeFeedback", object{"input": object{"id": w.caseID, "expectedVersion": stale}})
	if code(err) != "CONFLICT" {
		return fmt.Errorf("taking it twice is not refused: %w", err)
	}
	if err := w.boardShows(ctx, "TAKE", nil); err != nil {
		return err
	}
	return w.notified(ctx, w.told, "市民")
}

func (w *walk) reply(ctx context.Context) error {
	_, err := w.change(ctx, w.workbench, "ReplyFeedback", "replyFeedback", object{"content": "已更换灯具，今晚恢复照明，感谢您的反映。"})
	if err != nil {
		return err
	}
	if err := w.boardShows(ctx, "REPLY", nil); err != nil {
		return err
	}
	return w.notified(ctx, w.told, "市民")
}

func (w *walk) rate(ctx context.Context) error {
	data, err := w.change(ctx, w.app, "RateFeedback", "rateFeedback", object{"rating": 5, "comment": "处理很快"})
	if err != nil {
		return err
	}
	if data.number("rateFeedback.feedbackCase.rating") != 5 {
		return errors.New("the rating was not kept")
	}
	return w.boardShows(ctx, "RATE", nil)
}

func (w *walk) checkHistory(ctx context.Context) error {
	data, err := w.app.run(ctx, "FeedbackCase", object{"id": w.caseID})
	if err != nil {
		return err
	}
	var actions []string
	for i := range data.list("feedbackCase.history") {
		actions = append(actions, data.text(fmt.Sprintf("feedbackCase.history.%d.action", i)))
	}
	if got := fmt.Sprint(actions); got != "[SUBMIT ASSIGN TAKE REPLY RATE]" {
		return fmt.Errorf("the history is %s", got)
	}
	if data.text("feedbackCase.pictures.0.url") == "" {
		return errors.New("the picture is missing")
	}
	return nil
}

// boardShows waits until the big screen's feed has the case with the action.
func (w *walk) boardShows(ctx context.Context, action string, also func(object) bool) error {
	began := time.Now()
	for {
		event, err := next(ctx, w.board, within-time.Since(began))
		if err != nil {
			return fmt.Errorf("the big screen does not show %s of %s within %s: %w", action, w.number, within, err)
		}
		w.shown = event
		for i := range event.list("boardChanged.feed") {
			at := fmt.Sprintf("boardChanged.feed.%d.", i)
			if event.text(at+"caseNumber") == w.number && event.text(at+"kind") == action && (also == nil || also(event)) {
				w.say("大屏在 %d ms 内更新：总数 %d，办理中 %d", time.Since(began).Milliseconds(),
					event.number("boardChanged.totals.total"), event.number("boardChanged.totals.open"))
				return nil
			}
		}
	}
}

// notified waits for a notification about the case.
func (w *walk) notified(ctx context.Context, from <-chan object, whom string) error {
	for {
		event, err := next(ctx, from, 5*time.Second)
		if err != nil {
			return fmt.Errorf("no notification for the %s: %w", whom, err)
		}
		if event.text("notificationReceived.link") == "feedback/"+w.caseID {
			w.say("%s收到通知：%s", whom, event.text("notificationReceived.title"))
			return nil
		}
	}
}

// next waits for the next event.
func next(ctx context.Context, events <-chan object, patience time.Duration) (object, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case event, ok := <-events:
		if !ok {
			return nil, errors.New("the subscription ended")
		}
		return event, nil
	case <-timer.C:
		return nil, errors.New("time is up")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// picture draws a small true PNG.
func picture() []byte {
	canvas := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for x := range 64 {
		for y := range 48 {
			canvas.Set(x, y, color.RGBA{uint8(4 * x), uint8(5 * y), 90, 255})
		}
	}
	var out bytes.Buffer
	_ = png.Encode(&out, canvas) // a buffer never fails
	return out.Bytes()
}
