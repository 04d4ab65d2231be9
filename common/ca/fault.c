#include "ca/fault.h"

#include "base/tool.h"

int
fault_put(struct rec_out *o, const struct store_fault *f, struct reason *w)
{
	int rc;

	rec_begin(o, "fault");
	rec_put_u64(o, "n", o->n + 1);
	rec_put_text(o, "source", f->source);
	rec_put_text(o, "reason", f->reason);
	rec_put_text(o, "detail", f->detail);
	rec_put_text(o, "group", f->group);
	rec_put_text(o, "user", f->user);
	rec_put_u64(o, "id", (unsigned long long)f->id);
	rec_puts(o, "stream", f->stream);
	rec_put_u64(o, "audit", (unsigned long long)f->audit);
	rec_put_id(o, "cured", f->row);
	rec_put_id(o, "cured_audit", f->cured);
	if ((rc = rec_end(o)) == -1)
		tool_lost();
	return rc == 1 ||
	    reason_set(w, "ceiling",
		"fault %lld: its record would be longer than %d bytes",
		(long long)f->id, REC_LINE_MAX);
}
