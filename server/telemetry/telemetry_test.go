package telemetry

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestLogKeepsChinese(t *testing.T) {
	for _, json := range []bool{true, false} {
		var out bytes.Buffer
		log := NewLog(&out, "info", json, requestOf)
		log.Info("收到反馈", "社区", "玉林东路社区", "took", 1500*time.Millisecond)
		log.Debug("不写")
		if line := out.String(); !strings.Contains(line, "玉林东路社区") || !strings.Contains(line, "1.5s") || strings.Contains(line, "不写") {
			t.Errorf("json %v: %s", json, line)
		}
	}
}

func TestMetricsAreShown(t *testing.T) {
	answer := httptest.NewRecorder()
	Handler(NewMetrics("1.2.3")).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	body := answer.Body.String()
	for _, want := range []string{`citizencloud_build_info{version="1.2.3"} 1`, "go_goroutines", "process_open_fds"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestOperationsAreCounted(t *testing.T) {
	registry := NewMetrics("")
	operations := NewOperations(registry)
	operations.Ended("app", "AppHome", "query", 200, 0, 3*time.Millisecond)
	operations.Ended("app", "AppHome", "query", 200, 2, 3*time.Millisecond)
	operations.Ended("", "", "", 400, 1, time.Millisecond)
	answer := httptest.NewRecorder()
	Handler(registry).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`citizencloud_operation_seconds_bucket{client="app",kind="query",operation="AppHome",status="200",le="0.005"} 2`,
		`citizencloud_operation_errors_total{client="app",kind="query",operation="AppHome",status="200"} 2`,
		`citizencloud_operation_errors_total{client="",kind="",operation="",status="400"} 1`,
	} {
		if !strings.Contains(answer.Body.String(), want) {
			t.Errorf("no %s", want)
		}
	}
}
