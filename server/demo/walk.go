package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
)

// within is how soon the big screen must show a change after its commit.
const within = time.Second

// Walk walks the main job against a running platform with demonstration data
// in development mode (the codes are read from the simulator's inbox). citizen
// is the number of the demonstration citizen who plays it.
func Walk(ctx context.Context, url string, citizen int, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	w := &walk{url: url, out: out}
	cast := demonstration.New(demonstration.Demo, time.Now())
	w.citizen = cast.Citizen(citizen)
	w.worker = cast.CommunityWorker(w.citizen.CommunityCode)
	w.chief = cast.Chief(w.citizen.CommunityCode[:6] + "000000")
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"市民用短信验证码登录", w.signIn},
		{"市民打开 APP 首页：一个查询，四个子图", w.openHome},
		{"市民打开小程序首页：更小的查询", w.openMiniProgram},
		{"区级领导在大屏登录，订阅本区看板", w.watchBoard},
		{"社区工作者在工作台登录，订阅通知", w.watchInbox},
		{"市民上传图片并提交意见反馈；工作者收到通知，大屏更新", w.submit},
		{"外区工作者看不到这个案件", w.refuseStranger},
		{"工作者受理；市民收到通知，大屏更新", w.take},
		{"工作者答复；市民收到通知，大屏更新", w.reply},
		{"市民评价；大屏更新", w.rate},
		{"历史记录完整", w.checkHistory},
	} {
		began := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		_, _ = fmt.Fprintf(out, "✓ %s（%d ms）\n", step.name, time.Since(began).Milliseconds())
	}
	return nil
}

// walk is what the steps hand on to each other.
type walk struct {
	url     string
	out     io.Writer
	citizen demonstration.Citizen
	worker  demonstration.Worker
	chief   demonstration.Worker

	app, workbench, screen *client
	board                  <-chan object // the big screen's subscription
	inbox                  <-chan object // the worker's notifications
	told                   <-chan object // the citizen's notifications
	shown                  object        // what the big screen shows now
	caseID, number         string
	version                int
}

func (w *walk) say(format string, args ...any) {
	_, _ = fmt.Fprintf(w.out, "    "+format+"\n", args...)
}

func (w *walk) signIn(ctx context.Context) (err error) {
	if w.app, err = newClient(w.url, "app"); err != nil {
		return err
	}
	if _, err := w.app.run(ctx, "RequestSmsCode", object{"input": object{"mobile": w.citizen.Mobile, "scene": "SIGN_IN"}}); err != nil {
		return err
	}
	wrong, err := w.app.run(ctx, "SignInByCode", object{"input": object{"mobile": w.citizen.Mobile, "code": "000000"}})
	if code(err) == "" {
		return fmt.Errorf("a wrong code is not refused: %v %w", wrong, err)
	}
	text, err := w.smsCode(ctx)
	if err != nil {
		return err
	}
	data, err := w.app.run(ctx, "SignInByCode", object{"input": object{"mobile": w.citizen.Mobile, "code": text}})
	if err != nil {
		return err
	}
	if id := data.text("signInByCode.viewer.id"); id != w.citizen.ID {
		return fmt.Errorf("signed in as %s, want %s", id, w.citizen.ID)
	}
	w.app.token = data.text("signInByCode.accessToken")
	w.say("%s，验证码 %s", data.text("signInByCode.viewer.nickname"), text)
	w.told, err = w.app.watch(ctx, "NotificationReceived", nil)
	return err
}

// smsCode reads the newest code from the simulator's inbox.
func (w *walk) smsCode(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/development/inbox?format=json&mobile="+url.QueryEscape(w.citizen.Mobile), nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("reading the inbox: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var messages []struct{ Mobile, Code string }
	if err := json.NewDecoder(response.Body).Decode(&messages); err != nil {
		return "", fmt.Errorf("reading the inbox: status %d: %w", response.StatusCode, err)
	}
	for _, message := range messages {
		if message.Mobile == w.citizen.Mobile {
			return message.Code, nil
		}
	}
	return "", errors.New("the inbox of the SMS simulator has no code")
}

func (w *walk) openHome(ctx context.Context) error {
	home, err := w.app.run(ctx, "AppHome", nil)
	if err != nil {
		return err
	}
	for part, least := range map[string]int{
		"viewer.recommendedServices": 1, "viewer.area.activities.edges": 1, "viewer.area.supermarket.edges": 1, "popularServices": 1,
	} {
		if n := len(home.list(part)); n < least {
			return fmt.Errorf("%s has %d entries, want %d or more", part, n, least)
		}
	}
	if home.at("viewer.unreadNotificationCount") == nil || home.text("viewer.area.id") != w.citizen.CommunityCode {
		return fmt.Errorf("profile incomplete: %v", home.at("viewer.area.id"))
	}
	w.say("%s · 未读 %d · 推荐服务 %s · 社区活动 %s · 服务超市 %s", home.text("viewer.area.fullName"), home.number("viewer.unreadNotificationCount"),
		home.text("viewer.recommendedServices.0.name"), home.text("viewer.area.activities.edges.0.node.title"), home.text("viewer.area.supermarket.edges.0.node.name"))
	return nil
}

func (w *walk) openMiniProgram(ctx context.Context) error {
	mini, err := newClient(w.url, "miniprogram")
	if err != nil {
		return err
	}
	mini.token = w.app.token
	home, err := mini.run(ctx, "MiniProgramHome", nil)
	if err != nil {
		return err
	}
	if home.text("viewer.id") != w.citizen.ID || len(home.list("popularServices")) == 0 {
		return errors.New("the home of the mini-program is empty")
	}
	if home.at("viewer.area.supermarket") != nil {
		return errors.New("the mini-program got what it did not ask")
	}
	return nil
}

// signInWorker gives a client of the name with the worker signed in.
func (w *walk) signInWorker(ctx context.Context, client, operation, login string) (*client, error) {
	c, err := newClient(w.url, client)
	if err != nil {
		return nil, err
	}
	data, err := c.run(ctx, operation, object{"input": object{"login": login, "password": demonstration.Password}})
	if err != nil {
		return nil, err
	}
	c.token = data.text("signInWorker.accessToken")
	if c.token == "" {
		return nil, fmt.Errorf("%s: no token", operation)
	}
	return c, nil
}
