package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// pair builds this tool into the program as it is and as it was at the commit before,
// runs both in turn, and compares.
func pair(ctx context.Context, s settings) (err error) {
	folder, err := os.MkdirTemp("", "rohrpost-pair-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	old := filepath.Join(folder, "old")
	if err := command(ctx, "git", "worktree", "add", "--detach", old, s.before); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, command(context.WithoutCancel(ctx), "git", "worktree", "remove", "--force", old))
	}()
	// Both are measured by the tool of today.
	tool := filepath.Join(old, "bench")
	if err := errors.Join(os.RemoveAll(tool), os.CopyFS(tool, os.DirFS("bench"))); err != nil {
		return err
	}
	programs := []string{filepath.Join(folder, "before"), filepath.Join(folder, "after")}
	for i, source := range []string{old, "."} {
		if err := command(ctx, "go", "build", "-C", source, "-o", programs[i], "./bench"); err != nil {
			return err
		}
	}
	var before, after [][]figure
	for n := range s.rounds {
		fmt.Printf("round %d of %d\n", n+1, s.rounds)
		for _, which := range [2]int{n % 2, 1 - n%2} { // each is first half of the time
			list, err := runOnce(ctx, programs[which])
			if err != nil {
				return err
			}
			if which == 0 {
				before = append(before, list)
			} else {
				after = append(after, list)
			}
		}
	}
	printPair(s.before, before, after)
	return nil
}

// runOnce runs a program for one round, with what else was asked for.
func runOnce(ctx context.Context, program string) ([]figure, error) {
	file := program + ".json"
	args := []string{"-rounds", "1", "-json", file}
	flag.Visit(func(f *flag.Flag) {
		if f.Name != "before" && f.Name != "rounds" && f.Name != "json" {
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(program), err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []figure
	return list, json.Unmarshal(text, &list)
}

// printPair compares medians. The ratio is above 1 where it has become better.
func printPair(commit string, before, after [][]figure) {
	fmt.Printf("\n%-72s  %10s  %10s  %8s\n", "medians", "before", "after", "better")
	for i, f := range after[0] {
		var was, is []float64
		for n := range after {
			was, is = append(was, before[n][i].Value), append(is, after[n][i].Value)
		}
		ratio := median(is) / median(was)
		if f.Less {
			ratio = 1 / ratio
		}
		fmt.Printf("  %-70s  %10.1f  %10.1f  %8.2f  %s\n", f.Name, median(was), median(is), ratio, f.Unit)
	}
	fmt.Printf("\nbefore: %s. 1.00 is as before, 2.00 twice as good, whether more is better or less.\n", commit)
}

func command(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
