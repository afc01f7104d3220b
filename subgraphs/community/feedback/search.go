package feedback

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
)

// mostCandidates is up to how many cases a search is narrowed to. What more
// cases hold is found by going through them, newest first, before long.
const mostCandidates = 2000

// narrow gives the cases that may hold the text, out of those that the
// transaction's principal may see: narrowed is false where that says too
// little, and all cases have to be looked at. A community's are few anyway.
func narrow(ctx context.Context, tx sqlx.QueryerContext, f Filter) (ids []string, narrowed bool, err error) {
	if f.CitizenID != "" || f.AreaCode == "" || division.LevelOf(f.AreaCode) == division.Community {
		return nil, false, nil
	}
	wanted := words(f.Search)
	if division.LevelOf(f.AreaCode) != division.City {
		area, err := strconv.ParseInt(division.Prefix(f.AreaCode), 10, 64)
		if err != nil {
			return nil, false, fmt.Errorf("feedback: searching %s: %w", f.AreaCode, err)
		}
		wanted = append(wanted, -area)
	}
	var found *pq.StringArray
	err = sqlx.GetContext(database.PlannedOnce(ctx), tx, &found, `SELECT community.feedback_narrowed($1, $2)`, pq.Array(wanted), mostCandidates)
	if err != nil {
		return nil, false, fmt.Errorf("feedback: narrowing a search: %w", err)
	}
	if found == nil {
		return nil, false, nil
	}
	return *found, true, nil
}

// words are the neighbouring characters of the text, each two as one number:
// the rule of community.feedback_words in SQL. A text holds another one only if
// it has all of its words.
func words(text string) []int64 {
	characters := []rune(text)
	all := make([]int64, 0, len(characters))
	for i := 1; i < len(characters); i++ {
		all = append(all, int64(characters[i-1])<<21|int64(characters[i]))
	}
	return all
}
