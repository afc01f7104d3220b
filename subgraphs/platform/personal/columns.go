package personal

import "slices"

// Column is one column of sealed texts, with its blind index where there is one.
// Everything that Keys.Seal makes and a table keeps must be listed in Columns:
// a key is given up only when none of them needs it any more.
type Column struct {
	Table  string // with its schema
	ID     string // the row's key, a uuid
	Sealed string
	Index  string // "" for none
	// Field names the column for the index, and with "/" and the row's ID the
	// place that it is sealed for.
	Field string
}

// Columns are all columns of sealed texts. The names are ours, never input.
var Columns = []Column{
	{Table: "platform.citizen", ID: "id", Sealed: "mobile", Index: "mobile_index", Field: "citizen.mobile"},
	{Table: "platform.citizen_identity", ID: "id", Sealed: "subject", Index: "subject_index", Field: "citizen.identity"},
	{Table: "platform.oidc_key", ID: "id", Sealed: "secret", Field: "oidc.key"},
	{Table: "platform.push_device", ID: "id", Sealed: "token", Field: "push.token"},
	{Table: "platform.realname_identity", ID: "id", Sealed: "number", Index: "number_index", Field: "realname.number"},
	{Table: "platform.realname_identity", ID: "id", Sealed: "name", Field: "realname.name"},
	{Table: "platform.realname_verification", ID: "id", Sealed: "claimed_number", Field: "realname.claimed_number"},
	{Table: "platform.realname_verification", ID: "id", Sealed: "claimed_name", Field: "realname.claimed_name"},
	{Table: "platform.second_factor", ID: "worker_id", Sealed: "secret", Field: "worker.second_factor"},
}

// Place is what a row's text is sealed for.
func (c Column) Place(id string) string { return c.Field + "/" + id }

// indexed says whether the field's index can be made anew from the sealed text.
func indexed(field string) bool {
	return slices.ContainsFunc(Columns, func(c Column) bool { return c.Field == field && c.Index != "" })
}
