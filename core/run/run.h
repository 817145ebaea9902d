/* Filling an ip_run with what was run; the writers are in run_json.c, run_table.c, run_folder.c. */
#ifndef IP_CORE_RUN_H
#define IP_CORE_RUN_H

#include "core/estimators/anchors.h"
#include "core/input/session.h"
#include "core/ngrams/ngrams.h"
#include "core/output/json_write.h"

/* What settings say, and the time of the start. */
void ip_run_start(ip_run *run, const ip_settings *settings);

/* The corpus, as long as it is whole; ip_run_describe does it when it has not been done. */
ip_status ip_run_describe_corpus(ip_run *run, const ip_corpus *corpus, ip_error *error);

/* Where each document's losses begin; IP_FAILED when memory is out. */
ip_status ip_run_note_losses(ip_run *run, const ip_corpus *corpus);

/* Instruction set, threads, memory, times. */
void ip_run_describe_machine(ip_run *run, const ip_session *session);

/* Model, corpus, estimator, machine, times, once all is computed (reads the model's bytes for its fingerprint). */
ip_status ip_run_describe(ip_run *run, ip_session *session, const ip_anchors *anchors, ip_calibration calibration,
                          const char *model, ip_error *error);

/* Members that results of several commands share: "infoplane" and "run"; "model". */
void ip_run_write_head(ip_json *json, const ip_run *run);
void ip_run_write_model(ip_json *json, const ip_run *run);

/* The keys of an estimate, I .. distinct, into the object that is open. */
void ip_json_estimate(ip_json *json, const ip_estimate *estimate);

/* What a run says about itself before its results: the members infoplane, run, model, corpus, estimator. */
void ip_run_write_description(ip_json *json, const ip_run *run);

#endif
