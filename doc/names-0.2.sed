# The names of version 0.1 and what they are called since 0.2, as a sed script:
#
#     sed -E -i -f names-0.2.sed *.c *.h
#
# What is yielded begins with a verb, what returns at once begins with its object: see
# cogen(7). Only names change here. Where the order of parameters or the name of a member
# changed too, the compiler says so; CHANGELOG.md lists these. Apply it once: a few new
# names were names of something else before.

# Coroutines
s/\bcg_self\b/cg_coro_self/g
s/\bcg_ref\b/cg_coro_ref/g
s/\bcg_unref\b/cg_coro_unref/g

# The scheduler
s/\bcg_sched_create\b/cg_sched_new_with/g
s/\bcg_sched_start\b/cg_sched_start_with/g
s/\bcg_start\b/cg_sched_start/g
s/\bcg_run\b/cg_sched_run/g
s/\bcg_run_until\b/cg_sched_run_until/g
s/\bcg_step\b/cg_sched_step/g
s/\bcg_stop\b/cg_sched_stop/g
s/\bcg_stopped\b/cg_sched_stopped/g
s/\bcg_post\b/cg_sched_post/g
s/\bcg_hold\b/cg_sched_hold/g
s/\bcg_unhold\b/cg_sched_unhold/g
s/\bcg_now\b/cg_sched_now/g
s/\bcg_sched_resolver\b/cg_sched_set_resolver/g
s/\bcg_call_(soon|later|at)\b/cg_sched_call_\1/g

# Operations, for those who define types of them
s/\bcg_result\b/cg_op_result/g
s/\bcg_complete(_by)?\b/cg_op_complete\1/g
s/\bcg_after_others\b/cg_op_after_others/g
s/\bcg_progress\b/cg_op_progress/g
s/\bcg_expire_at\b/cg_op_expire_at/g
s/\bcg_charge\b/cg_sched_charge/g
s/\bcg_defer\b/cg_sched_defer/g

# Signals
s/\bcg_signal_post\b/cg_sched_post_signal_with/g
s/\bcg_signal_to\b/cg_sched_post_signal/g
s/\bcg_remote_signal(_op|_type)?\b/cg_signal_remote\1/g
s/\bcg_os_signal(_op|_type)?\b/cg_wait_os_signal\1/g
s/\bcg_next_os_signal(_op|_type)?\b/cg_get_os_signal\1/g

# Synchronisation, queues, groups, iterators, generators
s/\bcg_unlock\b/cg_mutex_unlock/g
s/\bcg_monitor(_op|_type)?\b/cg_call_locked\1/g
s/\bcg_release\b/cg_semaphore_release/g
s/\bcg_notify(_all)?\b/cg_condition_notify\1/g
s/\bcg_queue_create\b/cg_queue_new_with/g
s/\bcg_pubsub_create\b/cg_pubsub_new_with/g
s/\bcg_subscribe\b/cg_pubsub_subscribe/g
s/\bcg_unsubscribe\b/cg_pubsub_unsubscribe/g
s/\bcg_task_create\b/cg_task_new_with/g
s/\bcg_group_begin\b/cg_group_open_with/g
s/\bcg_group_start\b/cg_group_start_with/g
s/\bcg_group_add(_op|_type)?\b/cg_add_to_group\1/g
s/\bcg_group_wait(_op|_type)?\b/cg_wait_group\1/g
s/\bcg_iterate\b/cg_iterator/g
s/\bcg_next(_op|_type)?\b/cg_get_next\1/g
s/\bcg_gen_create\b/cg_gen_new_with/g

# Processes and files
s/\bcg_spawn_on\b/cg_process_spawn_with/g
s/\bcg_spawn\b/cg_process_spawn/g
s/\bcg_with_process(_op|_type)?\b/cg_call_with_process\1/g
s/\bstruct cg_follow\b/struct cg_follower/g
s/\bcg_follow_options\b/cg_follower_options/g
s/\bcg_follow_open_on\b/cg_follower_open_with/g
s/\bcg_follow_(open|close)\b/cg_follower_\1/g
s/\bcg_follow_read(_type)?\b/cg_follow_bytes\1/g

# Sockets and names of hosts
s/\bcg_listen_on\b/cg_sock_listen_with/g
s/\bcg_(close|listen|attach|detach|pair|local_addr|peer_addr|setopt|getopt)\b/cg_sock_\1/g
s/\bcg_sock_timeout\b/cg_sock_set_timeout/g
s/\bcg_sock_new\b/cg_sock_open/g
s/\bcg_giveback\b/cg_view_release/g
s/\bcg_host_set\b/cg_resolver_set_host_with/g
s/\bcg_host\b/cg_resolver_set_host/g

# TLS
s/\bcg_tls_create\b/cg_tls_new_with/g
s/\bcg_tls_(version|alpn|resumed|host|peer_name|peer_alt|error)\b/cg_tls_session_\1/g

# HTTP
s/\bcg_http_server_create\b/cg_http_server_new_with/g
s/\bcg_http_client_create\b/cg_http_client_new_with/g
s/\bcg_http_(mount|connections)\b/cg_http_server_\1/g
s/\bcg_http_(method|target|path|param|query|header|headers|trailers|length|minor|sock)\b/cg_http_request_\1/g
s/\bcg_http_status\b/cg_http_response_set_status/g
s/\bcg_http_set\b/cg_http_response_set_header/g
s/\bcg_http_add\b/cg_http_response_add_header/g
s/\bcg_http_trailer\b/cg_http_response_add_trailer/g
s/\bcg_http_close\b/cg_http_response_close/g
s/\bcg_http_answer(_op|_type)?\b/cg_http_respond\1/g
s/\bcg_http_text\b/cg_http_send_text/g
s/\bcg_http_(event|interim)(_op|_type)?\b/cg_http_send_\1\2/g
s/\bcg_http_body(_op|_type)?\b/cg_http_read_body\1/g
s/\bcg_http_send_files\b/cg_http_files_handler/g
s/\bcg_http_reply_read(_op|_type)?\b/cg_http_read_reply\1/g
s/\bcg_http_reply_get\b/cg_http_reply_header/g
s/\banswer_timeout\b/response_timeout/g

# Note: struct cg_http_headers keeps its name (the rule above is for the function).
s/\bstruct cg_http_request_headers\b/struct cg_http_headers/g

# `size` is the size of a buffer, `len` the length of what is in it. Members of other variables
# (struct cg_output, cg_http_source, cg_addr, cg_name) are for the compiler to find.
s/\bcg_(queue|pubsub)_size\b/cg_\1_len/g
s/\b(view|output)(\.|->)size\b/\1\2len/g
s/(\.body = .*, )\.size = /\1.len = /g

# What a member of a group returned.
s/(cg_add_to_group\(.*)\.answer\b/\1.returned/g
