package access

// Grade is the grade of personal data (GB/T 43697, the four grades of general
// data): what harm it does in wrong hands. The schema's @personal says which
// field has which. Grades compare as texts; "" is below all.
type Grade string

// The grades.
const (
	L1 Grade = "L1" // public
	L2 Grade = "L2" // internal: nicknames, names of staff, what people write
	L3 Grade = "L3" // sensitive: mobile numbers, resident identities, homes
	L4 Grade = "L4" // most sensitive: biometrics, health, accounts of banks, minors
)

// Clearance is what may be seen of other people's data: up to which grade in
// full, up to which in full where the purpose is stated and the look recorded,
// and up to which masked. Of grades above that nothing is shown.
type Clearance struct {
	Plain, OnRecord, Masked Grade
}

// everybody's clearance is that of who is not signed in, of citizens towards
// each other, and of a worker without roles.
var everybody = Clearance{Plain: L1, OnRecord: L1, Masked: L2}

// clearances is the whole table: what a role may see of others. Whoever the
// data are about sees them in full, and so does the platform itself. Which rows
// somebody sees at all is asked before, by Decide and by row-level security.
var clearances = map[Role]Clearance{
	CommunityWorker: {Plain: L2, OnRecord: L3, Masked: L3}, // calls residents: masked at a glance, in full on record
	Supervisor:      {Plain: L2, OnRecord: L3, Masked: L3}, // tells people apart; compares documents as the second pair of eyes, on record
	Leader:          {Plain: L2, OnRecord: L2, Masked: L2}, // reads cases, no numbers
	CatalogueEditor: {Plain: L1, OnRecord: L1, Masked: L2}, // works on services, not on people
	SupplyReviewer:  {Plain: L2, OnRecord: L2, Masked: L3}, // compares who applies
	PaymentOfficer:  {Plain: L2, OnRecord: L2, Masked: L3}, // compares orders with who paid
	Developer:       {Plain: L1, OnRecord: L1, Masked: L2}, // works on applications, not on people
	SystemAdmin:     {Plain: L2, OnRecord: L2, Masked: L2}, // the three administrators run accounts of staff, and see no residents
	SecurityAdmin:   {Plain: L2, OnRecord: L2, Masked: L2},
	AuditAdmin:      {Plain: L2, OnRecord: L2, Masked: L2},
}

// Clearance is the role's line of the table; everybody's for a role unknown.
func (r Role) Clearance() Clearance {
	if c, known := clearances[r]; known {
		return c
	}
	return everybody
}

// Showing is how a field shows personal data besides by clearance.
type Showing string

// The ways of showing.
const (
	ByClearance  Showing = "BY_CLEARANCE"
	AlwaysMasked Showing = "MASKED"    // in full to nobody, not even to whom it is about
	OnRecord     Showing = "ON_RECORD" // the field asks for a purpose and is recorded
)

// Sight is how much of a personal field somebody sees.
type Sight uint8

// The sights.
const (
	Nothing Sight = iota
	Masked
	Plain
)

// Sees says how much the principal (nil is nobody) sees of data of the grade.
// concerned says whether they are about the principal. Several roles see what
// one of them sees.
func Sees(p *Principal, concerned bool, grade Grade, showing Showing) Sight {
	sight := Nothing
	switch {
	case concerned || p != nil && p.Kind == System:
		sight = Plain
	default:
		sight = everybody.sight(grade, showing)
		if p != nil && p.Kind == Worker && p.Confined == "" {
			for _, role := range p.Roles {
				sight = max(sight, role.Clearance().sight(grade, showing))
			}
		}
	}
	if showing == AlwaysMasked {
		return min(sight, Masked)
	}
	return sight
}

func (c Clearance) sight(grade Grade, showing Showing) Sight {
	switch {
	case grade <= c.Plain, showing == OnRecord && grade <= c.OnRecord:
		return Plain
	case grade <= c.Masked:
		return Masked
	default:
		return Nothing
	}
}

// Concerning is what the object with a personal field implements to say whether
// it is about the principal; nil is nobody. Of an object that does not, only
// the clearance counts.
type Concerning interface {
	Concerns(p *Principal) bool
}
