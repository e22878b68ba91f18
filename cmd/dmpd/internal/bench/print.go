package bench

import (
	"fmt"
	"runtime"
	"text/tabwriter"
	"time"
)

// print writes the table of figures.
func (r *run) print(m memory, startup time.Duration) error {
	fmt.Fprintf(r.Out, "%d records × %d documents of %d KB; %d processors, shared by client and server; %s\n\n",
		r.Patients, r.Documents, contentSize>>10, runtime.NumCPU(), runtime.Version())
	t := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tconnections\tper second\tp50\tp99\tceiling\tshare\t")
	for i, f := range r.ours {
		top := r.ceiling[i]
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%s\t%s\t%.0f\t%.0f %%\t\n",
			f.name, f.conns, f.rate(), short(f.p50), short(f.p99), top.rate(), 100*f.rate()/top.rate())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(r.Out, `
resident memory after the run %d MiB, at most %d MiB; start-up on these records %s
answers: push %d, search %d, metadata %d, document %d bytes

Every call was authenticated, judged and durably audited. The ceiling is a bare
handler on the same store engine that answers as many bytes and makes the same
durable commits, asked by the same client in the same run.
`, m.now>>20, m.peak>>20, short(startup), r.answers.push.Load(), r.answers.search.Load(), r.answers.read.Load(), r.answers.raw.Load())
	return err
}

// short writes a duration with three digits at most.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", d.Seconds()*1e3)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1e3)
	default:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
}
