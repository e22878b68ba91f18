package main

import (
	"strings"
	"testing"
)

// TestMigrateShardIsForClusters: an embedded store has no shards, and none is made.
func TestMigrateShardIsForClusters(t *testing.T) {
	t.Setenv(envPrefix+"STORE", "")
	out, err := command(t, "migrate", "--shard", "--data", t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "only a MongoDB cluster has shards") || strings.Contains(out, "up to date") {
		t.Errorf("%q, %v", out, err)
	}
}
