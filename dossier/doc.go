// Package dossier is the one door to the records. It alone holds a store, the
// keys, the policy and the audit log together; every handler, page, batch entry
// and operation goes through Service.Do.
//
// Life of a request:
//
//	HTTP → server          limits, TLS identity, content type
//	     → auth            Principal                                   401
//	     → fhir            the interaction, parsed; nothing is ignored 400
//	     → Service.Do
//	          locate       blind token → dossier, or a decoy that is empty; from
//	                       memory for a caller who was let in there before
//	          load         header (linearizable) and summaries (cached by version)
//	          policy       Engine.View: one caller, one dossier, one instant
//	          match        parameters, sort, total, page: only on what the view sees
//	          fetch        bodies of the page, opened, judged again: policy.Release
//	          commit       writes: data + audit event in one transaction
//	          audit        reads: the event is durable → Receipt       503 if not
//	     → emit            the only code that touches the response writer
//
// Practitioner, PractitionerRole and Organization are of no record: where there is a
// directory, it answers for them, and no rule of a record is asked (ofDirectory).
//
// It promises:
//
//   - Nothing leaves without a decision of package policy taken on the very
//     bytes that leave, nor without the receipt of a durable audit event.
//   - What a caller may not see takes no part in matching, counting, sorting,
//     paging, conflicts or errors; hidden and absent are one answer.
//   - A write is whole or not at all, and is decided again whenever somebody
//     else wrote to the dossier meanwhile.
//   - The bytes received are the resource, after the splices of fhir.Stamp.
//
// It refuses to search across dossiers, but for a regulator in centre_15 who names
// a person by identity traits (searchTraits), to take an identity from anything
// but its Principal argument, and to answer when the event cannot be made durable.
package dossier
