#include "proof/verdict.h"

#include "base/tool.h"

/* Copies a field of the record; puts an empty one if there is none. */
static void
copy(struct rec_out *o, const struct rec *r, const char *label)
{
	if (r == NULL)
		rec_puts(o, label, "");
	else
		rec_put_field(o, r, label);
}

/*
 * Puts the verdict; brief leaves out the user, whose name may be as long as a
 * line.  Returns 1, 0 if it is too long, or -1 if it cannot be written.
 */
static int
put(struct rec_out *o, const struct rec *r, const struct verdict *v, int brief)
{
	rec_begin(o, "verdict");
	rec_put_u64(o, "n", v->n);
	copy(o, brief ? NULL : r, "user");
	copy(o, r, "sha1");
	rec_puts(o, "status", v->status);
	if (v->reason == NULL)
		copy(o, r, "reason");
	else
		rec_puts(o, "reason", v->reason);
	if (v->kra != NULL) {
		copy(o, r, "id");
		rec_puts(o, "kra", v->kra);
	}
	return rec_end(o);
}

void
verdict_put(struct rec_out *o, const struct rec *r, const struct verdict *v)
{
	int rc = put(o, r, v, 0);

	if (rc == 0)
		rc = put(o, r, v, 1);
	if (rc != 1)
		tool_lost();
}
