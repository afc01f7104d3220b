// Package embeddedtest gives tests the real things: PostgreSQL, redis-server,
// JetStream.
//
//	db := embeddedtest.Open(t, migrations.Files)
//	store := voting.NewStore(db.App)
//
// Open returns a fresh, migrated database; a test binary starts one cluster, at
// the first Open, in the temporary folder, and copies a migrated template for
// each further call, so a call costs some tens of milliseconds. Nothing needs to
// be stopped: the cluster ends with the test binary, however that ends, and its
// files go with it. CITIZENCLOUD_TEST_DATABASE_URL (an owner's URL) names a
// cluster elsewhere instead.
//
// Start reading at Open in database.go.
package embeddedtest
