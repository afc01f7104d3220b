package citizen

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/executor"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	story "github.com/citizencloud/citizencloud/subgraphs/citizen/demonstration"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/migrations"
)

const orderFields = `{ id state amountFen payableFen refundedFen refundableFen channel merchant { name settlementAccount } refunds { id state reviewable version } history { action to } allowedActions version }`

// From the order to the refund by GraphQL, over the simulated cashier and its
// notice; and who does not see it.
func TestAnOrderIsPaidAndPartlyGivenBack(t *testing.T) {
	at := embeddedtest.Open(t, migrations.FS)
	if err := story.Load(t.Context(), at.Owner, demonstration.New(demonstration.Demo, time.Now())); err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), at.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r := New(Deps{DB: db, Development: true})
	e := executor.New(r.Executable())
	e.SetErrorPresenter(fault.Present)
	e.SetRecoverFunc(fault.Recover)
	f := fixture{r, e}
	officer := &access.Principal{Kind: access.Worker, ID: "01890a5d-ac96-774b-bcce-b302099a8009", AreaCode: "510104000000", Roles: []access.Role{access.PaymentOfficer}}
	elsewhere := &access.Principal{Kind: access.Worker, ID: "01890a5d-ac96-774b-bcce-b302099a8009", AreaCode: "510105000000", Roles: access.Roles()}
	neighbour := &access.Principal{Kind: access.Citizen, ID: "01890a5d-ac96-774b-bcce-b302099a9009"}
	expect := func(p *access.Principal, query string, input map[string]any, wanted ...string) string {
		t.Helper()
		answer, _ := f.ask(t, p, query, map[string]any{"input": input})
		for _, want := range wanted {
			if !strings.Contains(answer, want) {
				t.Fatalf("%s\n%s\nwant %s", query, answer, want)
			}
		}
		return answer
	}
	id := func(answer, root, kind string) string {
		t.Helper()
		var read map[string]map[string]struct{ ID string }
		if err := json.Unmarshal([]byte(answer), &read); err != nil || read[root][kind].ID == "" {
			t.Fatal(answer, err)
		}
		return read[root][kind].ID
	}
	made := expect(resident, `mutation ($input: CreatePaymentOrderInput!) { createPaymentOrder(input: $input) { paymentOrder `+orderFields+` } }`,
		map[string]any{"merchantId": demonstration.ID("merchant", 2), "merchantOrderNo": "B-2026-1", "subject": "三月物业费", "amountFen": 12345}, `"state":"CREATED"`, `"allowedActions":["PAY","CLOSE"]`, `"settlementAccount":null`)
	order := id(made, "createPaymentOrder", "paymentOrder")
	expect(resident, `mutation ($input: PayOrderInput!) { payOrder(input: $input) { paymentOrder { state } parameters { name value } } }`,
		map[string]any{"id": order, "channel": "WECHAT"}, `"PAYING"`, `"prepayid"`)
	mux := http.NewServeMux()
	mux.Handle("POST /development/payments/{order}", r.CashierHandler())
	mux.Handle("POST /payments/notices/{channel}", r.NoticeHandler())
	post := func(path, body string) int {
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body)))
		return answer.Code
	}
	if code := post("/payments/notices/wechat", `{"id":"forged"}`); code != http.StatusInternalServerError {
		t.Errorf("a forged notice is answered %d", code)
	}
	if code := post("/payments/notices/elsewhere", `{}`); code != http.StatusNotFound {
		t.Errorf("an unknown channel is answered %d", code)
	}
	if code := post("/development/payments/"+order, ""); code != http.StatusNoContent {
		t.Errorf("the cashier answers %d", code)
	}
	asked := expect(resident, `mutation ($input: RequestRefundInput!) { requestRefund(input: $input) { refund { id state version reviewable } } }`,
		map[string]any{"orderId": order, "requestNo": "r1", "amountFen": 2345, "reason": "重复收费"}, `"CREATED"`, `"reviewable":false`)
	refund := id(asked, "requestRefund", "refund")
	const review = `mutation ($input: ReviewRefundInput!) { reviewRefund(input: $input) { refund { state } } }`
	verdict := map[string]any{"id": refund, "expectedVersion": 1, "approve": true}
	for _, p := range []*access.Principal{nil, resident, neighbour, elsewhere} {
		if answer, _ := f.ask(t, p, review, map[string]any{"input": verdict}); strings.Contains(answer, "{") {
			t.Errorf("%+v reviews: %s", p, answer)
		}
	}
	expect(officer, review, verdict, `"SUBMITTED"`)
	if err := r.payments.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	query := `{ paymentOrder(id: "` + order + `") ` + orderFields + ` }`
	expect(resident, query, nil, `"state":"SUCCEEDED"`, `"refundedFen":2345`, `"refundableFen":10000`, `"REFUNDED"`, `"action":"FINISH_REFUND"`)
	expect(officer, query, nil, `"settlementAccount":"演示银行 ****`, `"allowedActions":[]`)
	for _, p := range []*access.Principal{nil, neighbour, elsewhere, editor} {
		if answer, _ := f.ask(t, p, query, nil); answer != `{"paymentOrder":null}` {
			t.Errorf("%+v sees %s", p, answer)
		}
	}
	list := `{ paymentOrders(merchantOrderNo: "B-2026-1") { nodes { id } } }`
	expect(officer, list, nil, order)
	if answer := expect(elsewhere, list, nil); strings.Contains(answer, order) {
		t.Errorf("seen in another district: %s", answer)
	}
	for _, p := range []*access.Principal{nil, resident, editor} {
		if answer, _ := f.ask(t, p, list, nil); strings.Contains(answer, "{") {
			t.Errorf("%+v lists %s", p, answer)
		}
	}
	// what the demonstration brought, and what came since, balances with the channels' books
	var out int
	if err := at.Owner.Get(&out, `SELECT count(*) FROM (SELECT a.owner, sum(p.amount_fen) FROM citizen.ledger_posting p JOIN citizen.ledger_account a ON a.id = p.account_id WHERE a.kind = 'CHANNEL_CLEARING' GROUP BY 1
		EXCEPT SELECT channel, sum(amount_fen) FROM (SELECT channel, amount_fen FROM citizen.simulated_trade WHERE paid_at IS NOT NULL UNION ALL SELECT channel, -amount_fen FROM citizen.simulated_refund) s GROUP BY 1) d`); err != nil || out != 0 {
		t.Errorf("%d channels differ: %v", out, err)
	}
}

// In production mode no channel is open unless somebody says so.
func TestProductionSimulatesNothing(t *testing.T) {
	f := open(t)
	if f.simulator != nil || f.payments.Open != nil || len(f.payments.Channels) != 0 {
		t.Error("payments are simulated")
	}
	answer := httptest.NewRecorder()
	f.CashierHandler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/development/payments/x", nil))
	if answer.Code != http.StatusNotFound {
		t.Errorf("the simulated cashier answers %d", answer.Code)
	}
}
